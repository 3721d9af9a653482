"""`fsarbench published` in each layout, and the page in the documentation."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fsarbench.catalogue.published_results import published_results
from fsarbench.cli.app import app
from fsarbench.report.published_table import HEADERS, markdown

PAGE = Path(__file__).parents[3] / "docs" / "published.md"
CHOICE = ["published", "--dataset", "ssv2-small", "--way", "5", "--shot", "1"]


def printed(*args: str) -> str:
    done = CliRunner().invoke(app, [*CHOICE, *args])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_page_is_what_the_command_writes() -> None:
    # `fsarbench published -o docs/published.md` writes it.
    assert PAGE.read_text(encoding="utf-8") == markdown(published_results())


def test_the_terminal_lists_results_and_numbered_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    lines = printed("--method", "MoLo").splitlines()
    assert lines[0].strip() == "ssv2-small, 5-way 1-shot"
    row = next(line.split() for line in lines if line.split()[:2] == ["MoLo", "42.7"])
    assert " ".join(row) == "MoLo 42.7 39.8 [2] ImageNet-RN50 full test none no [1]"
    assert "[1] MoLo paper as quoted in alibaba-mmai-research/MoLo issue 4" in lines


def test_a_narrow_terminal_repeats_the_method(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = printed("--method", "MoLo").splitlines()
    assert max(map(len, lines)) <= 70  # sources are not cut
    assert sum(line.split()[:1] == ["MoLo"] for line in lines) > 1


def test_markdown_has_all_columns_and_sources() -> None:
    text = printed("--format", "markdown")
    assert f"| {' | '.join(HEADERS)} |" in text
    row = "| MoLo | 42.7 | 39.8 "
    assert row in text
    assert "## Sources\n\n- \\[1\\] " in text
    assert "- D2ST-Adapter: The released code" in text


def test_latex_escapes_and_aligns() -> None:
    text = printed("--format", "latex")
    assert r"\begin{tabular}{@{}lrrlllllll@{}}" in text
    assert r"MoLo & 42.7 & 39.8 {[}" in text
    assert r"\emph{ssv2-small, 5-way 1-shot}" in text
    assert r"accuracy (\%)" in text


def test_csv_and_json_carry_every_field() -> None:
    rows = list(csv.DictReader(io.StringIO(printed("--format", "csv"))))
    objects = json.loads(printed("--format", "json"))
    assert len(rows) == len(objects) > 20
    molo = next(row for row in rows if row["rerun"])
    assert (molo["accuracy"], molo["rerun"], molo["selection"]) == ("42.7", "39.8", "test")
    assert molo["rerun_source"].startswith("MoLo issue 4")
    assert {entry["transductive"] for entry in objects} == {"no", "unknown", "yes"}
    assert all(entry["source"] and entry["evidence"] is not None for entry in objects)


def test_a_file_is_written_by_its_suffix(tmp_path: Path) -> None:
    file = tmp_path / "table.tex"
    assert printed("-o", str(file)) == ""
    assert file.read_text() == printed("--format", "latex")


def test_a_wrong_layout_is_refused() -> None:
    done = CliRunner().invoke(app, [*CHOICE, "--format", "html"])
    assert "--format html: expected one of markdown" in str(done.exception)
