"""Tests of all pairs: the paired test of `compare --baseline`, corrected for all pairs."""

import json
import re
from pathlib import Path

import pytest

from fsarbench.errors import UserError
from fsarbench.report.comparison import pairwise as module
from fsarbench.report.comparison.compare import compare, comparison_of
from fsarbench.report.comparison.pairwise import matrix_of, pairwise
from fsarbench.report.comparison.table import Comparison
from fsarbench.statistics.paired import holm
from tests.helpers.finished_runs import finish


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name, right in (("a", 0.65), ("b", 0.64), ("c", 0.4)):
        for seed in range(2):
            finish(folder, name, right, seed=seed)
    finish(folder, "other", 0.9, episodes_seed=1)
    return folder


def test_each_pair_is_tested_as_against_a_baseline(runs: Path) -> None:
    (section,) = comparison_of([runs]).sections
    found = pairwise(section, 0.95)
    assert found is not None
    assert found.names == ("a", "b", "c")  # the row with other episodes is not compared
    values = {}
    for second, name in enumerate(found.names):
        lines = comparison_of([runs], baseline=name).lines
        for first in range(second):
            verdict = lines[first].verdict
            assert verdict is not None
            test = found.tests[first, second]
            assert test.difference.interval == verdict.difference.interval
            assert test.detectable == pytest.approx(verdict.difference.detectable(0.05 / 3))
            values[first, second] = verdict.difference.p_value
    corrected = holm(list(values.values()))
    assert [found.tests[pair].p_value for pair in values] == corrected.tolist()
    cells = matrix_of(found, 0.95)
    assert cells[1][1].text == ""
    assert cells[0][2].significant
    assert not cells[0][1].significant
    assert re.fullmatch(r"\+\d+\.\d\d \((< )?0\.\d{3}\)", cells[0][2].text)
    assert re.fullmatch(r"\d+\.\d\d", cells[2][0].text)


def test_one_row_has_no_pairs(tmp_path: Path) -> None:
    finish(tmp_path, "only")
    (section,) = comparison_of([tmp_path]).sections
    assert pairwise(section, 0.95) is None


def test_only_the_first_rows_of_many_are_tested(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_ROWS", 2)
    (section,) = comparison_of([runs]).sections
    found = pairwise(section, 0.95)
    assert found is not None
    assert (found.names, found.left_out) == (("a", "b"), ("c",))
    assert len(found.tests) == 1
    notes = list(module.explanation(found, 0.95))
    assert notes[-1].endswith("Not tested: c.")


@pytest.mark.parametrize("layout", ["markdown", "latex", "json", None])
def test_every_format_has_the_matrix(
    runs: Path, layout: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    compare([str(runs)], layout=layout, pairwise=True)
    text = capsys.readouterr().out
    if layout == "json":
        pairs = json.loads(text)["pairwise"]
        assert [(pair["first"], pair["second"]) for pair in pairs] == [
            ("a", "b"),
            ("a", "c"),
            ("b", "c"),
        ]
    else:
        assert "row minus column" in text
        assert "3 pairs" in " ".join(text.split())
    if layout == "latex":
        assert text.count(r"\begin{table*}") == text.count(r"\end{table*}") == 2


def test_csv_has_no_place_for_pairs(runs: Path) -> None:
    with pytest.raises(UserError, match="one line per row"):
        compare([str(runs)], layout="csv", pairwise=True)


def test_without_the_option_there_are_no_pairs(runs: Path) -> None:
    found: Comparison = comparison_of([runs])
    assert not found.pairwise
