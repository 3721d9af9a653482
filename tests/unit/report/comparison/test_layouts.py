import csv
import io
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fsarbench.cli.app import app
from fsarbench.errors import UserError
from fsarbench.report.comparison.compare import compare
from tests.helpers.finished_runs import finish


def shown(capsys: pytest.CaptureFixture[str], *paths: Path, **options: object) -> str:
    compare([str(path) for path in paths], **options)
    return capsys.readouterr().out


def three(folder: Path) -> Path:
    for name, right in (("best_of all", 0.65), ("close", 0.645), ("far", 0.4)):
        finish(folder, name, right)
    finish(folder, "other", 0.9, episodes_seed=1)
    return folder


def test_the_terminal_shows_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    text = shown(capsys, three(tmp_path), baseline="far")
    for fact in (
        "Toy, 5-way 1-shot",
        "best_of all",
        "other [a]",
        "13.75",
        "= ",
        "± videos",
        "Holm",
    ):
        assert fact in text
    assert "[a] episode seed 1, not episode seed 0." in text


def test_markdown_is_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, three(tmp_path), layout="markdown", baseline="far")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 6
    bars = {len(re.findall(r"(?<!\\)\|", line)) for line in table}
    assert len(bars) == 1
    assert table[2].startswith(r"| **best\_of all** | ")
    assert "| = " in table[3]
    assert table[5].startswith(r"| other \[a\] |")


def test_latex_is_a_table_of_booktabs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, three(tmp_path), layout="latex", baseline="far")
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    header = next(line for line in text.splitlines() if line.startswith("method"))
    assert {row.count("&") for row in rows} == {header.count("&")}
    assert rows[0].startswith(r"\textbf{best\_of all} & ")
    assert "$=$ " in rows[1]
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 1
    assert "& $-$" in shown(capsys, tmp_path, layout="latex", baseline="close")
    # Nothing that TeX would take for a command of its own, or does not know.
    outside = text.replace(r"% \usepackage", "").replace("{%\n", "")
    assert not re.search(r"(?<!\\)[%_#]|±", outside)


def test_csv_and_json_hold_the_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    three(tmp_path)
    rows = list(csv.DictReader(io.StringIO(shown(capsys, tmp_path, layout="csv", baseline="far"))))
    found = json.loads(shown(capsys, tmp_path, layout="json", baseline="far"))
    assert [row["method"] for row in rows] == [row["method"] for row in found["measured"]]
    best = found["measured"][0]
    assert float(rows[0]["accuracy"]) == best["accuracy"]
    assert float(rows[0]["difference.p_corrected"]) == best["difference"]["p_corrected"]
    assert best["best"]
    assert best["intervals"]["videos"]["covers"]
    assert found["notes"] == {"a": "episode seed 1, not episode seed 0"}


@pytest.mark.parametrize("suffix", ["md", "tex", "csv", "json"])
def test_a_files_name_says_its_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    three(tmp_path / "runs")
    out = tmp_path / f"table.{suffix}"
    formats = {"md": "markdown", "tex": "latex", "csv": "csv", "json": "json"}
    assert shown(capsys, tmp_path / "runs", out=str(out)) == ""
    assert out.read_text() == shown(capsys, tmp_path / "runs", layout=formats[suffix])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layout": "html"}, "--format html: expected one of markdown"),
        ({"out": "table.html"}, r"-o table.html: expected a suffix of \.md"),
        ({"confidence": 95.0}, "--confidence 95.0 must lie between 0 and 1"),
    ],
)
def test_wrong_options_are_named(tmp_path: Path, options: dict, message: str) -> None:
    finish(tmp_path, "a")
    with pytest.raises(UserError, match=message):
        compare([str(tmp_path)], **options)


def test_published_results_stand_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("mine", "again"):
        finish(tmp_path, name, adapter="FullFineTuning", prototypes="EachShot", dataset="ssv2")
    finish(tmp_path, "of no paper", adapter="NormTuning", dataset="ssv2")
    text = shown(capsys, tmp_path, layout="markdown", published=True)
    measured, published = text.split("Published results, not measured here")
    assert "OTAM | ssv2-full" not in measured
    papers = [line for line in published.splitlines() if line.startswith("| OTAM | ssv2-full")]
    assert papers
    assert len(set(papers)) == len(papers)
    assert "5-shot" not in published
    found = json.loads(shown(capsys, tmp_path, layout="json", published=True))["published"]
    assert len(found) == len(papers)
    assert all(0.2 < entry["accuracy"] < 0.7 and entry["source"] for entry in found)
    assert {entry["selection"] for entry in found} == {"unknown", "fixed"}
    assert {entry["text_at_test"] for entry in found} == {"none"}
    assert any("| 67.1 |  | fixed | none | no | R(2+1)D, " in line for line in papers)
    rows = csv.DictReader(io.StringIO(shown(capsys, tmp_path, layout="csv", published=True)))
    assert [row["origin"] for row in rows] == ["measured"] * 3 + ["published"] * len(found)


def test_nothing_is_published_of_other_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finish(tmp_path, "mine", adapter="FullFineTuning", prototypes="EachShot")
    assert "Published" not in shown(capsys, tmp_path, layout="latex", published=True)


def test_the_verb_takes_its_options(tmp_path: Path) -> None:
    base, other = three(tmp_path / "runs"), tmp_path / "table.csv"
    command = ["compare", str(base), "--baseline", "far", "--confidence", "0.9", "-o", str(other)]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0
    rows = list(csv.DictReader(other.open()))
    assert rows[0]["intervals.videos.confidence"] == "0.9"
    assert rows[0]["difference.mean"]


def test_settings_of_the_same_runs_stand_side_by_side(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finish(tmp_path, "a", 0.5, shots=(5,))
    finish(tmp_path, "b", 0.6, shots=(5,))
    finish(tmp_path, "c", 0.4)
    text = shown(capsys, tmp_path, layout="markdown", baseline="a")
    header, _, *rows = [line.split(" | ") for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 3
    assert text.startswith("**Toy, 5-way 1-shot, 5-way 5-shot**")
    one, five = header.index("5-way 1-shot (%)"), header.index("5-way 5-shot (%)")
    assert [rows[1][column][:2] for column in (one, five)] == ["**", "**"]
    assert float(rows[1][five].strip("*")) > float(rows[1][one].strip("*"))
    assert (rows[0][one] != "", rows[2][one] != "", rows[2][five]) == (True, True, "")
    gain = header.index("5-way 5-shot difference")
    assert rows[1][gain].startswith("+")
    assert rows[2][gain] == ""


@pytest.mark.parametrize("layout", ["latex", None])
def test_tables_of_one_and_of_several_settings_below_each_other(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    layout: str | None,
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    finish(tmp_path, "a", shots=(5,))
    finish(tmp_path, "b", way=10)
    text = shown(capsys, tmp_path, layout=layout)
    assert "5-way 5-shot (" in text
    assert "Toy, 10-way 1-shot" in text
    assert "accuracy (" in text
    if layout == "latex":
        assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 2


def test_other_runs_of_a_name_make_another_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finish(tmp_path / "one", "a", shots=(5,))
    finish(tmp_path / "two", "a", seed=1)
    text = shown(capsys, tmp_path / "one", tmp_path / "two", layout="markdown")
    assert "**Toy, 5-way 1-shot**" in text
    assert "**Toy, 5-way 5-shot**" in text


def test_on_a_narrow_terminal_nothing_is_cut_short(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = three(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    narrow = shown(capsys, runs, baseline="far")
    monkeypatch.setenv("COLUMNS", "300")
    wide = shown(capsys, runs, baseline="far")
    assert max(map(len, narrow.splitlines())) <= 80
    assert [wide.count("best_of all"), narrow.count("best_of all")] == [1, 3]
    assert set(wide.replace("─", "").split()) == set(narrow.replace("─", "").split())


@pytest.mark.parametrize("layout", [None, "markdown", "latex"])
def test_every_layout_says_what_a_test_could_have_seen(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    layout: str | None,
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    text = shown(capsys, three(tmp_path), layout=layout, baseline="far")
    for fact in ("MDE", "minimum detectable effect", "80", "(one training)"):
        assert fact in text


def test_data_say_what_a_test_could_have_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    three(tmp_path)
    rows = list(csv.DictReader(io.StringIO(shown(capsys, tmp_path, layout="csv", baseline="far"))))
    first = json.loads(shown(capsys, tmp_path, layout="json", baseline="far"))["measured"][0]
    assert first["difference"]["one_training"]
    assert first["difference"]["smallest_detectable"] > 0
    assert float(rows[0]["difference.smallest_detectable"]) == pytest.approx(
        first["difference"]["smallest_detectable"]
    )
    assert rows[1]["beside_best.smallest_detectable"]
    assert rows[0]["beside_best.smallest_detectable"] == ""
