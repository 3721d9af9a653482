"""HTML report of sixty runs: size, use on a wide and a narrow window, accessibility."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from fsarbench.cli.app import app
from tests.helpers.finished_runs import finish

if TYPE_CHECKING:
    from playwright.sync_api import Browser

RUNS = 60
MOST_BYTES = 15_000_000


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    for number in range(RUNS):
        adapter = ("AIM", "Frozen", "LoRA")[number % 3]
        finish(folder / "runs", f"method {number:02d}", 0.4 + 0.005 * number, adapter=adapter)
    args = ("--episodes", "0", "--columns", "accuracy,trainable,mde", "--order", "method 59")
    out = folder / "report.html"
    done = CliRunner().invoke(app, ["report", str(folder / "runs"), "-o", str(out), *args])
    assert done.exit_code == 0, done.output
    return out


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    playwright = pytest.importorskip("playwright.sync_api")
    found = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    path = next((path for path in found if path), None)
    if path is None:
        pytest.skip("no Chromium on this machine (Debian: apt install chromium)")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


def test_the_page_is_small(page: Path) -> None:
    assert page.stat().st_size < MOST_BYTES


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_in_a_browser(page: Path, browser: "Browser", width: int) -> None:
    said: list[str] = []
    asked: list[str] = []
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
    tab = context.new_page()
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda r: None if r.url.startswith("data:") else asked.append(r.url))
    tab.goto(page.as_uri())
    heads = tab.locator("table.methods thead th:visible")
    assert [head.split()[0] for head in heads.all_inner_texts()] == [
        *("method", "accuracy", "trainable", "MDE")
    ]
    names = tab.locator("table.methods tbody tr:visible th")
    assert names.first.inner_text() == "method 59"
    assert names.count() == RUNS
    assert tab.locator("table.pairs tbody tr").count() == 20
    tab.get_by_label("Filter methods").fill("method 3")
    assert names.count() == 15
    tab.locator("details", has_text="Paired tests").locator("summary").press("Enter")
    assert tab.locator("table.pairs tbody tr:visible").count() == 2  # 03 and 13
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    axe = Path(pytest.importorskip("axe_playwright_python").__file__).parent / "axe.min.js"
    tab.evaluate(axe.read_text())
    found = tab.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    serious = [v["id"] for v in found["violations"] if v["impact"] in ("serious", "critical")]
    assert (serious, said, asked) == ([], [], [page.as_uri()])
    context.close()
