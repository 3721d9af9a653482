"""Which rows are better than which, tested on the episodes that they share."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fsarbench.report.comparison.rows import Row
from fsarbench.statistics.paired import (
    Difference,
    best_correction,
    best_level,
    holm,
    paired_difference,
)
from fsarbench.statistics.video_intervals import video_estimate


@dataclass(frozen=True)
class Verdict:
    """One row against another.

    Attributes:
        difference: The mean difference with its own interval and p-value.
        p_value: Corrected for all comparisons of the setting with the same other row.
        detectable: The smallest true difference that this test finds with a power of 80 %, at its
            level after the correction: the one that it has whatever the other rows show.
    """

    difference: Difference
    p_value: float
    detectable: float


def against(rows: Sequence[Row], other: Row, confidence: float) -> list[Verdict]:
    """Each row less another one that was named before, on the same episodes (Holm's correction)."""
    found = [difference(row, other, confidence) for row in rows]
    corrected = holm([difference.p_value for difference in found])
    level = (1 - confidence) / max(1, len(rows))
    return [
        Verdict(d, float(p), d.detectable(level)) for d, p in zip(found, corrected, strict=True)
    ]


def against_best(rows: Sequence[Row], best: Row, confidence: float) -> list[Verdict]:
    """Each row less the one with the largest mean, corrected for having chosen it by its mean."""
    found = [difference(row, best, confidence) for row in rows]
    corrected = best_correction([difference.p_value for difference in found])
    level = best_level(1 - confidence, len(rows) + 1) if rows else math.nan
    return [
        Verdict(d, float(p), d.detectable(level)) for d, p in zip(found, corrected, strict=True)
    ]


def difference(row: Row, other: Row, confidence: float) -> Difference:
    """One row less another, over videos where both kept them, otherwise over episodes."""
    ours, theirs = row.accuracies, other.accuracies
    drawn = row.drawn if row.same_episodes(other) else None
    if drawn is not None:
        each = ours.mean(axis=0) - theirs.mean(axis=0)
        # Where nothing is known of other videos, these are compared.
        drawn = None if video_estimate(each, drawn, "difference").unavailable else drawn
    return paired_difference(ours, theirs, drawn, confidence, (row.trained, other.trained))


def level(verdict: Verdict, confidence: float) -> bool:
    """Whether chance alone may have made the difference; not where nothing is known of it."""
    return not math.isnan(verdict.p_value) and verdict.p_value >= 1 - confidence
