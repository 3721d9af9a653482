"""Components of another installed package: listed from its metadata, imported on use."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.last_frame import last_frame

MODULE = last_frame()
CARD = """
name = "LastFrame"
slot = "matcher"
summary = "Cosine of the last frames"

[defaults]
scale = 10.0
"""
POINTS = """
[fsarbench.parts]
matcher.LastFrame = theirs.last_frame
matcher.Turned = theirs.turned
adapter.Gone = theirs.gone
losses.Silent = theirs.silent
readings.Nothing = theirs
"""
CHECK = ["check", "mafsar_synthact_1shot", "--set"]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Folder with an installed package, as site-packages."""
    package, metadata = tmp_path / "theirs", tmp_path / "theirs-1.2.dist-info"
    (package / "registry" / "matchers").mkdir(parents=True)
    metadata.mkdir()
    (package / "__init__.py").write_text("")
    (package / "last_frame.py").write_text(MODULE)
    (package / "turned.py").write_text(MODULE.replace("LastFrame", "Turned").rstrip() + ".T\n")
    (package / "silent.py").write_text("")
    (package / "registry" / "matchers" / "last_frame.toml").write_text(CARD)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text(POINTS)
    return tmp_path


def fsarbench(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line; it fails if that imported the package for `list` or `show`."""
    code = (
        "import sys, fsarbench.cli.app as cli\n"
        "try:\n    cli.main()\nfinally:\n"
        "    if sys.argv[1] in ('list', 'show'):\n"
        "        assert not {'theirs', 'torch'} & {*sys.modules}\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(site), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )


def test_listed_and_shown_without_being_imported(site: Path) -> None:
    done = fsarbench(site, "list", "matcher")
    assert "LastFrame" in done.stdout, done.stderr
    assert "Cosine of the last frames [theirs 1.2]" in done.stdout
    shown = fsarbench(site, "show", "LastFrame")
    assert "scale = 10.0" in shown.stdout, shown.stderr
    assert "last_frame.toml" in shown.stdout


def test_without_a_card_the_metadata_is_shown(site: Path) -> None:
    lines = fsarbench(site, "list").stdout.splitlines()
    assert any("Gone" in line and "without a card [theirs 1.2]" in line for line in lines)
    assert any("readings" in line and "unknown slot [theirs 1.2]" in line for line in lines)


def test_works_in_a_config_by_name(site: Path) -> None:
    done = fsarbench(site, *CHECK, "matcher.type=LastFrame", "--set", "matcher.scale=5")
    assert done.returncode == 0, done.stderr
    assert "LastFrame" in done.stdout


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("adapter.type=Gone", "'theirs.gone' registers adapter 'Gone', but it cannot be imported"),
        ("losses.match.type=Silent", "registers losses 'Silent', but it does not"),
        ("matcher.type=Turned", "breaks the contract of the slot"),
        ("matcher.type=LastFrme", "Did you mean 'LastFrame'?"),
    ],
)
def test_a_broken_promise_is_one_message(site: Path, override: str, message: str) -> None:
    done = fsarbench(site, *CHECK, override)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_two_packages_that_claim_one_name_are_named(site: Path) -> None:
    other = site / "others-3.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 3.0\n")
    (other / "entry_points.txt").write_text(
        "[fsarbench.parts]\nmatcher.LastFrame = theirs.last_frame\n"
    )
    done = fsarbench(site, *CHECK, "matcher.type=LastFrame")
    assert done.returncode == 2
    assert "others 3.0, theirs 1.2" in done.stderr
