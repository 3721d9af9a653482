"""Files, commands and output of docs/extend.md."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from fsarbench.catalogue.cards import Card, read

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGE = Path(__file__).parents[2] / "docs" / "extend.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
NAMED = re.compile(r"# (\S+\.(?:py|toml))\n")
FILES = {m[1]: text for _, text in BLOCKS if (m := NAMED.match(text))}


def blocks(language: str) -> list[str]:
    """Blocks of a language that are not files."""
    return [text for found, text in BLOCKS if found == language and text not in FILES.values()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the files of the page."""
    place = tmp_path_factory.mktemp("outside")
    for name, text in FILES.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    return place


@pytest.fixture(scope="module")
def site(folder: Path) -> Path:
    project = tomllib.loads(FILES["pyproject.toml"])["project"]
    metadata = folder / f"{project['name']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = "".join(f"{k} = {v}\n" for k, v in project["entry-points"]["fsarbench.parts"].items())
    (metadata / "entry_points.txt").write_text(f"[fsarbench.parts]\n{points}")
    return folder


def run(place: Path, *command: str, path: str = "") -> str:
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, *command], cwd=place, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def commands(text: str) -> list[list[str]]:
    return [["-m", *shlex.split(line)] for line in text.splitlines()]


def test_the_page_has_what_this_file_runs() -> None:
    assert set(FILES) == {
        "my_parts.py",
        "mine.py",
        "my_necks.py",
        "two_branches.py",
        "my_backbone.py",
        "tubelets.py",
        "on_features.py",
        "pyproject.toml",
        "registry/matchers/frame_by_frame.toml",
    }
    assert [len(blocks(language)) for language in ("python", "bash", "text")] == [3, 7, 5]


def test_parts_work_without_a_config(folder: Path) -> None:
    run(folder, "-c", blocks("python")[0])


def test_the_config_passes_the_check_and_prints_what_the_page_prints(folder: Path) -> None:
    as_printed, replaced = commands(blocks("bash")[0])
    rows = [" ".join(re.findall(r"[\w.,]+", row)) for row in run(folder, *as_printed).splitlines()]
    for line in blocks("text")[0].splitlines():
        assert any(row.startswith(line) for row in rows), line
    assert "OTAM" in run(folder, *replaced)


def test_necks_branches_corpora_and_backbones_do_what_the_page_says(folder: Path) -> None:
    run(folder, "-c", blocks("python")[1])
    _, branches, corpus, tubelets, fails, _, _ = blocks("bash")
    for text, printed in ((branches, 1), (corpus, None), (tubelets, 2)):
        (command,) = commands(text)
        rows = [" ".join(re.findall(r"[\w.,]+", row)) for row in run(folder, *command).splitlines()]
        for line in blocks("text")[printed].splitlines() if printed else ():
            assert any(row.startswith(line) for row in rows), (line, rows)
    (command,) = commands(fails)
    done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 2
    assert blocks("text")[3].strip() in done.stderr


def test_features_of_another_program_are_checked_and_run(folder: Path) -> None:
    run(folder, "-c", blocks("python")[2])
    output = "".join(run(folder, *command) for command in commands(blocks("bash")[5]))
    rows = [" ".join(re.findall(r"[\w.,;]+", row)) for row in output.splitlines()]
    for line in blocks("text")[4].splitlines():
        assert any(row.startswith(line) for row in rows), (line, rows)


def test_an_installed_package_needs_no_custom_imports(site: Path, tmp_path: Path) -> None:
    listing, check = commands(blocks("bash")[-1])
    assert "without a card [their-parts 1.0]" in run(tmp_path, *listing, path=str(site))
    assert "FrameByFrame" in run(tmp_path, *check, path=str(site))


def test_the_card_is_one(folder: Path) -> None:
    card = read(folder / "registry" / "matchers" / "frame_by_frame.toml", Card)
    assert (card.slot, card.name, card.defaults) == (
        "matcher",
        "FrameByFrame",
        {"temperature": 0.1},
    )
