"""The HTML report as text: self-contained, with names escaped."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fsarbench.errors import UserError
from fsarbench.experiments.reload import reload_run
from fsarbench.report.html.episode_viewer import displayed_queries
from fsarbench.report.html.report import report
from fsarbench.report.html.sections import embedded
from tests.helpers.finished_runs import finish

EVIL = "</script><img src=x onerror=alert(1)> \"q\" 'a' & قفز 🏃"


class Tags(HTMLParser):
    """Parser that collects elements with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("runs")
    first = finish(folder, "AIM")
    second = finish(folder, "evil", 0.5)
    result = json.loads((second / "result.json").read_text())
    (second / "result.json").write_text(json.dumps({**result, "name": EVIL}))
    finish(folder, "elsewhere", dataset="B & C")
    folders = [str(first), str(second), str(folder / "elsewhere_0")]
    report(folders, reload_run, out=str(folder / "deep" / "page.html"), quiet=True)
    return (folder / "deep" / "page.html").read_text(encoding="utf-8")


def tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(text)
    return parser.elements


def test_the_page_loads_nothing_from_elsewhere(text: str) -> None:
    for name, attributes in tags(text):
        for key in ("src", "href", "xlink:href", "data", "action"):
            value = attributes.get(key)
            assert value is None or value.startswith(("#", "data:")), (name, key, value)
    assert "default-src 'none'" in text
    # Namespaces are never loaded.
    addresses = set(re.findall(r"https?://[^\s\"'<)]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_names_are_escaped(text: str) -> None:
    elements = tags(text)
    assert "img" not in {name for name, _ in elements}
    assert not [a for _, a in elements if any(key.startswith("on") for key in a)]
    assert (
        EVIL.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&#34;")
        .replace("'", "&#39;")
        in text
    )
    ids = [a["id"] for _, a in elements if "id" in a]
    assert len(ids) == len(set(ids))


def test_sections_and_their_links(text: str) -> None:
    headings = re.findall(r"<h2[^>]*><bdi>(.*?)</bdi></h2>", text)
    assert headings == ["Toy, 5-way 1-shot", "B &amp; C, 5-way 1-shot"]
    assert text.count('<details class="confusion"') == 3
    links = {a["href"] for name, a in tags(text) if name == "a"}
    ids = {f"#{a['id']}" for _, a in tags(text) if "id" in a}
    assert links <= ids


def test_the_reason_for_a_missing_viewer_is_given(text: str) -> None:
    assert '<div class="viewer"' not in text
    assert text.count("config.py is missing.") == 3


def test_figures_without_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = finish(tmp_path, "AIM")
    report([str(run)], reload_run, out=None, figures=str(tmp_path / "figures"), formats=["png"])
    assert (tmp_path / "figures" / "accuracy.png").is_file()
    assert not list(tmp_path.glob("*.html"))
    assert "6 figures" in capsys.readouterr().out


def test_a_folder_without_runs_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no result"):
        report([str(tmp_path)], reload_run, out=str(tmp_path / "page.html"))
    assert not (tmp_path / "page.html").exists()


def test_embedded_data_cannot_close_its_element() -> None:
    text = str(embedded({"name": "</script><!--"}))
    assert "<" not in text
    assert json.loads(text) == {"name": "</script><!--"}


def test_displayed_queries_cover_every_class() -> None:
    assert displayed_queries([0] * 15 + [1] * 15 + [2] * 15, 7) == [0, 1, 2, 15, 16, 30, 31]
