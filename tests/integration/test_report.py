"""HTML report of real runs: command line, rebuilt models, use in a browser."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from fsarbench.catalogue.package_data import resource
from fsarbench.cli.app import app
from fsarbench.data.synthetic.build import write_video
from fsarbench.errors import UserError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# What may stand in the name of a folder, and must not be taken for anything but text.
NAMES = (
    "<img src=x onerror=window.hacked=1>",
    "\"double\" & 'single'",
    "القفز إلى الأعلى",
    "run 🏃 fast",
    "plain jumping",
    "&lt;b&gt; ${window.hacked=1}",
)
EVIL = "</script><script>window.hacked=1</script>"
FRAMES = 4

CONFIG = """_base_ = ["{base}.py"]
dataset = dict(_delete_=True, type="VideoFolder", root="videos")
clips = dict(frames=4)
episodes = dict(_delete_=True, way=3, shot=2, queries=2)
train = dict(episodes={train}, val_interval=2, log_interval=1, warmup=0, workers=0)
evaluate = dict(episodes=30, val_episodes=4, workers=0)
"""
# Trained with a picture of its own, every shot by itself, no matcher, and a part of one's own.
RUNS = {
    "MA-FSAR": ("mafsar_synthact_1shot", 4, ""),
    EVIL: ("trx_synthact_1shot", 0, "matcher = dict(key_dim=16)"),
    "zero-shot": ("zeroshot_synthact_1shot", 0, ""),
    "mine": (
        "frozen_synthact_1shot",
        0,
        "custom_imports = dict(imports=['mine'])\nmatcher = dict(_delete_=True, type='Mine')",
    ),
}
MINE = '''
from fsarbench.explanation import MatchExplanation
from fsarbench.functional.pairwise import frame_cosines
from fsarbench.interfaces import Matcher
from fsarbench.registry import MATCHERS
from jaxtyping import Float
from torch import Tensor


@MATCHERS.register_module()
class Mine(Matcher):
    """Cosine of frames with the same index."""

    def forward(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N"]:
        """Mean over frames."""
        return frame_cosines(query, prototypes).diagonal(dim1=-2, dim2=-1).mean((-1, -2))

    def explain(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> MatchExplanation:
        """The diagonal."""
        cosines = frame_cosines(query, prototypes)
        weights = cosines.new_zeros(cosines.shape)
        weights.diagonal(dim1=-2, dim2=-1).fill_(1)
        return MatchExplanation(cosines, weights, "my own diagonal")
'''


def fsarbench(home: Path, *args: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "fsarbench", *args]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True)


def here(home: Path, *args: str) -> Result:
    """Run the command in this process, where torch is already imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        return CliRunner().invoke(app, args)


def make_videos(folder: Path) -> None:
    """Five videos per class: three frames of a moving colour, with noise."""
    lines = ["class,split"]
    classes = [f"{split} {number}" for split in ("train", "val") for number in range(3)]
    for number, name in enumerate([*classes, *NAMES]):
        quoted = name.replace('"', '""')
        lines.append(f'"{quoted}",{name.split()[0] if name in classes else "test"}')
        for copy in range(5):
            draw = np.random.default_rng(10 * number + copy)
            frames = draw.integers(0, 120, (6, 64, 64, 3))
            for place in range(6):
                frames[place, 8 * place : 8 * place + 16, number * 4 : number * 4 + 12] += 130
            (folder / name).mkdir(parents=True, exist_ok=True)
            write_video(folder / name / f"{copy}.mp4", frames.astype(np.uint8), fps=4)
    (folder / "splits.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    make_videos(home / "videos")
    (home / "mine.py").write_text(MINE)
    for number, (name, (base, train, more)) in enumerate(RUNS.items()):
        text = CONFIG.format(base=resource("configs") / base, train=train) + more
        (home / f"config_{number}.py").write_text(text)
        folder = f"runs/{number}"
        args = ("run", f"config_{number}.py", "--name", name, "--work-dir", folder)
        if "custom_imports" in more:
            # A part registered here would be there for all other tests.
            done = fsarbench(home, *args)
            assert done.returncode == 0, done.stderr
        else:
            assert here(home, *args).exit_code == 0
    return home


@pytest.fixture(scope="module")
def page(home: Path) -> Path:
    done = fsarbench(home, "report", "runs", "-o", "report.html", "--figures", "figures", "--trust")
    assert done.returncode == 0, done.stderr
    assert "written to report.html" in done.stdout
    return home / "report.html"


def data_of(page: Path) -> list[dict[str, Any]]:
    text = page.read_text(encoding="utf-8")
    (found,) = viewers(text)
    return found


def viewers(text: str) -> list[list[dict[str, Any]]]:
    pattern = r'<script type="application/json" id="[^"]*-data">(.*?)</script>'
    found = re.findall(pattern, text, re.DOTALL)
    return [list(json.loads(each)) for each in found]


def test_every_method_shows_the_same_episodes(page: Path) -> None:
    episodes = data_of(page)
    assert [e["why"] for e in episodes[:2]] == ["hard for all"] * 2
    for episode in episodes:
        assert [m["name"] for m in episode["methods"]] == list(RUNS)
        assert set(episode["classes"]) <= set(NAMES)
        assert len(episode["labels"]) == 6
        # Rebuilt on the machine of the run, a model gives the answers of the run.
        assert not any(m["note"] for m in episode["methods"])
    methods = {m["name"]: m for m in episodes[0]["methods"]}
    assert "OTAM" in methods["MA-FSAR"]["pictures"][0]["caption"]
    assert methods["MA-FSAR"]["pictures"][0]["shape"] == [3, 1, FRAMES, FRAMES]
    assert methods[EVIL]["pictures"][0]["shape"] == [3, 2, FRAMES, FRAMES]
    assert len(methods[EVIL]["pictures"][0]["links"][0][0]) == 5
    assert methods["zero-shot"]["pictures"] == []
    assert "text" in methods["zero-shot"]["parts"]
    assert methods["mine"]["pictures"][0]["caption"] == "my own diagonal"


def test_accuracies_of_the_shown_episodes_are_those_of_the_runs(page: Path, home: Path) -> None:
    for number, name in enumerate(RUNS):
        lines = (home / "runs" / str(number) / "episodes.csv").read_text().split()[1:]
        accuracies = dict(line.split(",") for line in lines)
        for episode in data_of(page):
            (method,) = [m for m in episode["methods"] if m["name"] == name]
            then = float(accuracies[str(episode["number"])])
            assert method["right"] == pytest.approx(then, abs=1e-4)


def test_figures_lie_beside(page: Path, home: Path) -> None:
    names = {path.name for path in (home / "figures").iterdir()}
    assert {"accuracy.svg", "accuracy.pdf", "loss.svg", "classes.pdf"} <= names


def test_one_episode(home: Path) -> None:
    done = here(home, "episode", "runs/0", "runs/2", "-i", "3", "-i", "29")
    assert done.exit_code == 0, done.output
    episodes = data_of(home / "episode.html")
    assert [e["number"] for e in episodes] == [3, 29]
    assert [m["name"] for m in episodes[0]["methods"]] == ["MA-FSAR", "zero-shot"]


def test_each_kind_of_episodes_has_a_section(home: Path) -> None:
    """The config has two shots; the same run was also tested with one."""
    args = ("--work-dir", "kinds", "--set", "evaluate.shots=[1,2]")
    assert here(home, "run", "config_2.py", *args).exit_code == 0
    assert here(home, "episode", "kinds", "-i", "0", "-o", "kinds.html").exit_code == 0
    text = (home / "kinds.html").read_text(encoding="utf-8")
    titles = re.findall(r"<h2[^>]*><bdi>(.*?)</bdi></h2>", text)
    shots = [len(next(iter(v[0]["clips"].values()))["support"][0]) for v in viewers(text)]
    assert dict(zip(titles, shots, strict=True)) == {
        "VideoFolder, 3-way 2-shot": 2,
        "VideoFolder, 3-way 1-shot": 1,
    }


def test_without_videos_the_page_is_made_and_says_so(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "runs" / "2", tmp_path / "runs" / "2")
    shutil.copytree(home / "videos", tmp_path / "videos")
    (tmp_path / "videos" / "plain jumping" / "4.mp4").unlink()
    assert here(tmp_path, "report", "runs").exit_code == 0
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "the videos of the data set have changed" in text
    assert 'class="viewer"' not in text


def test_without_weights_an_episode_is_refused(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "runs" / "0", tmp_path / "runs" / "0")
    (tmp_path / "videos").symlink_to(home / "videos")
    (tmp_path / "runs" / "0" / "best.safetensors").unlink()
    done = here(tmp_path, "episode", "runs/0", "-i", "0")
    assert isinstance(done.exception, UserError)
    assert "best.safetensors" in str(done.exception)
    assert not (tmp_path / "episode.html").exists()


@pytest.mark.parametrize("verb", [("compare",), ("report",), ("episode", "-i", "0")])
def test_a_received_folder_runs_nothing(verb: tuple[str, ...], home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "runs" / "2", tmp_path / "runs" / "2")
    (tmp_path / "videos").symlink_to(home / "videos")
    config = tmp_path / "runs" / "2" / "config.py"
    config.write_text(f"import os\nos.system('touch {tmp_path}/hacked')\n" + config.read_text())
    done = here(tmp_path, *verb, "runs/2")
    assert not (tmp_path / "hacked").exists()
    if verb[0] == "episode":
        assert "config.py:1: the config of a run is read as data" in str(done.exception)
    else:
        assert done.exit_code == 0, done.output
    if verb[0] == "report":
        assert "read as data and never run" in (tmp_path / "report.html").read_text()
        assert "read as data and never run" in done.output


def test_parts_of_a_received_folder_need_trust(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "runs" / "3", tmp_path / "runs" / "3")
    (tmp_path / "videos").symlink_to(home / "videos")
    (tmp_path / "runs" / "3" / "mine.py").write_text(f"open('hacked', 'w').close()\n{MINE}")
    refused = fsarbench(tmp_path, "episode", "runs/3", "-i", "0")
    assert refused.returncode == 2
    assert "--trust" in refused.stderr
    assert not (tmp_path / "hacked").exists()
    trusted = fsarbench(tmp_path, "episode", "runs/3", "-i", "0", "--trust")
    assert trusted.returncode == 0, trusted.stderr
    assert (tmp_path / "hacked").exists()


def test_other_weights_are_refused(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "runs" / "0", tmp_path / "runs" / "0")
    (tmp_path / "videos").symlink_to(home / "videos")
    weights = tmp_path / "runs" / "0" / "best.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    done = here(tmp_path, "episode", "runs/0", "-i", "0")
    assert "the checkpoint changed since this run was tested" in str(done.exception)


def chromium() -> str | None:
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next((path for path in found if path), None)


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    playwright = pytest.importorskip("playwright.sync_api")
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine (Debian: apt install chromium)")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def opened(browser: "Browser", page: Path) -> "Iterator[Page]":
    """Browser page that must print no console message and make no request."""
    said: list[str] = []
    asked: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    tab = context.new_page()
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda r: None if r.url.startswith("data:") else asked.append(r.url))
    tab.goto(page.as_uri())
    tab.wait_for_selector(".viewer[data-ready]")
    yield tab
    assert tab.evaluate("window.hacked") is None
    assert said == []
    # Nothing but the page itself, which a test may load again.
    assert {url.partition("#")[0] for url in asked} == {page.as_uri()}
    context.close()


def test_names_are_shown_as_text(opened: "Page") -> None:
    text = opened.inner_text("main")
    assert EVIL in text
    assert "onerror" in opened.inner_text("details.confusion[open]") or NAMES[0] not in text
    drawn = "".join(opened.locator("figure svg").all_text_contents())
    for name in NAMES:
        assert name in drawn
    assert opened.locator("img[onerror]").count() == 0
    assert opened.locator("bdi", has_text=EVIL).count() > 0


@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_its_window(opened: "Page", width: int, scheme: Any) -> None:
    opened.set_viewport_size({"width": width, "height": 800})
    opened.emulate_media(color_scheme=scheme)
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    ground = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    ink = opened.evaluate("getComputedStyle(document.querySelector('figure svg text')).fill")
    light = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ground, ink)]
    assert (light[0] > light[1]) == (scheme == "light")


def test_the_table_sorts_by_mouse_and_keys(opened: "Page") -> None:
    table = opened.locator("table.sortable").first
    head = table.locator("th", has_text="accuracy")
    column = head.evaluate("cell => cell.cellIndex")

    def shown() -> list[float]:
        cells = table.locator(f"tbody tr > :nth-child({column + 1})").all_inner_texts()
        return [float(cell.replace("=", "").split()[0]) for cell in cells]

    head.locator("button").click()
    assert shown() == sorted(shown(), reverse=True)
    assert head.get_attribute("aria-sort") == "descending"
    head.locator("button").focus()
    opened.keyboard.press("Enter")
    assert shown() == sorted(shown())
    table.locator("th button").first.click()
    names = table.locator("tbody th:first-child").all_inner_texts()
    assert names == sorted(names, key=str.casefold) or names[0] == EVIL
    assert head.get_attribute("aria-sort") is None


def test_the_viewer_switches_method_episode_and_query(opened: "Page") -> None:
    viewer = opened.locator(".viewer")
    method, episode = viewer.get_by_label("Method"), viewer.get_by_label("Episode")
    assert method.locator("option").all_inner_texts() == list(RUNS)
    # Classes by prototypes by cells: a merged prototype, then both shots.
    assert viewer.locator(".cell").count() == 3 * FRAMES * FRAMES
    assert viewer.locator(".weight").count() > 0
    method.select_option(EVIL)
    assert EVIL in viewer.locator("h4").inner_text()
    assert viewer.locator(".cell").count() == 3 * 2 * FRAMES * FRAMES
    assert viewer.locator(".link").count() > 0
    method.select_option("zero-shot")
    assert viewer.locator(".matrix").count() == 0
    assert "text" in viewer.locator(".scores").first.inner_text()
    method.select_option("mine")
    assert "my own diagonal" in viewer.inner_text()
    assert viewer.locator(".weight").count() == 3 * FRAMES

    strips = viewer.locator(".queries img")
    before = strips.evaluate_all("all => all.map((i) => i.src)")
    episode.select_option(index=1)
    assert strips.evaluate_all("all => all.map((i) => i.src)") != before
    buttons = viewer.locator(".queries button")
    assert buttons.count() == 6
    buttons.nth(4).focus()
    opened.keyboard.press("Enter")
    assert buttons.nth(4).get_attribute("aria-pressed") == "true"
    assert viewer.locator("h4").inner_text().startswith("Query 5")
    pictures = viewer.locator("img").evaluate_all("all => all.map((i) => i.naturalWidth)")
    assert set(pictures) == {64 * FRAMES}


def test_filter_columns_and_order_are_kept_in_the_address(opened: "Page") -> None:
    table = opened.locator("table.methods")
    names = table.locator("tbody tr:visible th")
    opened.get_by_label("Filter methods").fill("m")
    opened.locator(".columns summary").press("Enter")
    opened.get_by_role("checkbox", name="memory (GiB)").press("Space")
    table.locator("th[data-key=accuracy] button").press("Enter")
    assert names.count() == 2
    assert opened.get_by_role("status").inner_text() == "2 of 4 rows shown"
    assert opened.locator("details.confusion:visible").count() == 2
    options = opened.locator(".viewer").get_by_label("Method").locator("option:not([disabled])")
    assert options.all_text_contents() == ["MA-FSAR", "mine"]
    assert not table.locator("th[data-key=memory]").is_visible()
    kept, shown = opened.url, names.all_inner_texts()
    opened.reload()
    opened.wait_for_selector(".viewer[data-ready]")
    assert (opened.url, names.all_inner_texts()) == (kept, shown)
    assert not table.locator("th[data-key=memory]").is_visible()
    assert table.locator("th[data-key=accuracy]").get_attribute("aria-sort") == "descending"
    # A link of the page moves to its place and keeps the rest of the address.
    opened.get_by_role("link", name="confusion").click()
    opened.wait_for_url(re.compile(r"-confusion\?filter=m"))
    assert names.count() == 2
    opened.locator(".columns summary").press("Enter")
    opened.get_by_role("button", name="Reset").press("Enter")
    assert names.all_inner_texts() == list(RUNS)
    assert "?" not in opened.url


def test_matrices_are_drawn_when_they_are_opened(opened: "Page") -> None:
    details = opened.locator("details.confusion")
    assert details.locator("table.rates").count() == 1
    details.nth(1).locator("summary").press("Enter")
    matrix = details.nth(1).locator("table.rates")
    matrix.wait_for()
    assert matrix.locator("td").count() == len(NAMES) ** 2
    rows = matrix.locator("tbody th").all_inner_texts()
    assert {row.partition(". ")[2] for row in rows} == set(NAMES)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(opened: "Page", width: int, scheme: Any) -> None:
    package = pytest.importorskip("axe_playwright_python")
    opened.set_viewport_size({"width": width, "height": 900})
    opened.emulate_media(color_scheme=scheme)
    opened.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    opened.locator("table.rates").last.wait_for()
    opened.locator(".viewer").get_by_label("Method").select_option("MA-FSAR")
    opened.evaluate((Path(package.__file__).parent / "axe.min.js").read_text())
    found = opened.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert found["passes"]
    serious = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
    assert not [(v["id"], [node["html"] for node in v["nodes"]]) for v in serious]
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


def test_paper_has_no_controls(opened: "Page") -> None:
    assert opened.locator(".controls").is_visible()
    opened.emulate_media(media="print")
    assert not opened.locator(".controls").is_visible()
    assert not opened.locator("nav").is_visible()
