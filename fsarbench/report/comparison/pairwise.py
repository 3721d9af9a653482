"""Paired tests of every two rows of a setting, as a matrix."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from fsarbench.report.comparison.columns import UNAVAILABLE, UNTESTED, percent
from fsarbench.report.comparison.rows import Row
from fsarbench.report.comparison.table import Comparison, Section, Verdict, difference
from fsarbench.runtime.finite_checks import none_for_nan
from fsarbench.statistics.paired import POWER, holm

# Maximum number of rows; twenty rows have 190 pairs, and a larger matrix is not readable.
MAX_ROWS = 20


@dataclass(frozen=True)
class Pairwise:
    """Tests of all pairs of rows.

    Attributes:
        names: Names of the rows.
        tests: Test of the first row minus the second, by the indices of both, first below second.
        left_out: Names of comparable rows beyond the largest number of rows.
    """

    names: tuple[str, ...]
    tests: Mapping[tuple[int, int], Verdict]
    left_out: tuple[str, ...] = ()


def pairwise(section: Section, confidence: float) -> Pairwise | None:
    """Test every two comparable rows of a setting; None if there are fewer than two.

    The p-values are corrected for all pairs by Holm's method. Beyond `MAX_ROWS` rows, only the
    first rows of the table are tested, which the user chooses by their order.
    """
    comparable = [line.row for line in section.lines if line.best or line.beside_best is not None]
    rows, others = comparable[:MAX_ROWS], comparable[MAX_ROWS:]
    if len(rows) < 2:
        return None
    names, left_out = (tuple(row.name for row in group) for group in (rows, others))
    return Pairwise(names, tests_of_pairs(rows, confidence), left_out)


def tests_of_pairs(rows: Sequence[Row], confidence: float) -> dict[tuple[int, int], Verdict]:
    """Paired test of every two rows, with p-values corrected by Holm's method."""
    pairs = list(combinations(range(len(rows)), 2))
    found = [difference(rows[i], rows[j], confidence) for i, j in pairs]
    corrected = holm([test.p_value for test in found])
    level = (1 - confidence) / len(pairs)
    return {
        pair: Verdict(test, float(p), test.detectable(level))
        for pair, test, p in zip(pairs, found, corrected, strict=True)
    }


@dataclass(frozen=True)
class PairCell:
    """Cell of the matrix.

    Attributes:
        text: Difference and p-value, or minimum detectable effect; empty on the diagonal.
        significant: Whether the difference is significant.
    """

    text: str = ""
    significant: bool = False


def matrix_of(tests: Pairwise, confidence: float) -> list[list[PairCell]]:
    """Cells: differences with p-values above the diagonal, detectable effects below it."""
    size = range(len(tests.names))
    return [[_cell(tests, i, j, confidence) for j in size] for i in size]


def _cell(tests: Pairwise, row: int, column: int, confidence: float) -> PairCell:
    if row == column:
        return PairCell()
    verdict = tests.tests[min(row, column), max(row, column)]
    if row > column:
        known = not math.isnan(verdict.detectable)
        return PairCell(percent(verdict.detectable) if known else UNAVAILABLE)
    mean = f"{100 * verdict.difference.interval.mean:+.2f}"
    if math.isnan(verdict.p_value):
        return PairCell(f"{mean} ({UNTESTED})")
    p_value = "< 0.001" if verdict.p_value < 0.001 else f"{verdict.p_value:.3f}"
    return PairCell(f"{mean} ({p_value})", verdict.p_value < 1 - confidence)


def numbered(tests: Pairwise) -> list[str]:
    """Names of the rows with the numbers that head the columns."""
    return [f"{number}. {name}" for number, name in enumerate(tests.names, 1)]


def explanation(tests: Pairwise, confidence: float) -> Iterator[str]:
    """Sentences below the matrix."""
    methods = dict.fromkeys(v.difference.interval.method for v in tests.tests.values())
    yield (
        "Above the diagonal: accuracy of the row minus that of the column, in percentage points, "
        f"and in parentheses the p-value ({' or '.join(methods)}; Holm's correction for all "
        f"{len(tests.tests)} pairs). Bold: significant at the {1 - confidence:.0%} level."
    )
    yield (
        "Below the diagonal: minimum detectable effect, the smallest true difference that the test "
        f"of this pair detects with {POWER:.0%} power at the corrected level, in percentage points."
    )
    if any(verdict.difference.one_training for verdict in tests.tests.values()):
        yield (
            "Pairs with a row of a single training seed compare trained models, not their methods."
        )
    if tests.left_out:
        yield (
            f"Only the first {len(tests.names)} rows of the table are tested in pairs; --order "
            f"chooses them. Not tested: {', '.join(tests.left_out)}."
        )


def records(comparison: Comparison) -> list[dict[str, Any]]:
    """Tests of all pairs of all settings for JSON; differences are fractions."""
    return [
        {
            "dataset": section.setting[0],
            "task": section.task,
            "first": tests.names[i],
            "second": tests.names[j],
            "difference": verdict.difference.interval.mean,
            "p": none_for_nan(verdict.difference.p_value),
            "p_corrected": none_for_nan(verdict.p_value),
            "smallest_detectable": none_for_nan(verdict.detectable),
        }
        for section in comparison.sections
        for tests in [pairwise(section, comparison.confidence)]
        if tests is not None
        for (i, j), verdict in tests.tests.items()
    ]
