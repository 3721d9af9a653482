"""Which rows are better than which, tested on the episodes that they share."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fsarbench.paired import Difference, holm, paired_difference
from fsarbench.report.compare_rows import Row
from fsarbench.video_statistics import video_variance


@dataclass(frozen=True)
class Verdict:
    """One row against another.

    Attributes:
        difference: The mean difference with its own interval and p-value.
        p_value: Corrected for all comparisons of the setting with the same other row (Holm).
    """

    difference: Difference
    p_value: float


def against(rows: Sequence[Row], other: Row, confidence: float) -> list[Verdict]:
    """Each row less the other one, on the same episodes."""
    found = [difference(row, other, confidence) for row in rows]
    corrected = holm([difference.p_value for difference in found])
    return [Verdict(d, float(p)) for d, p in zip(found, corrected, strict=True)]


def difference(row: Row, other: Row, confidence: float) -> Difference:
    """One row less another, over videos where both kept them, otherwise over episodes."""
    ours, theirs = row.accuracies, other.accuracies
    drawn = row.drawn if row.same_episodes(other) else None
    if drawn is not None:
        each = ours.mean(axis=0) - theirs.mean(axis=0)
        # Where episodes take all videos of a class, nothing is known of others.
        drawn = drawn if np.isfinite(video_variance(each, drawn)) else None
    return paired_difference(ours, theirs, drawn, confidence)


def level(verdict: Verdict, confidence: float) -> bool:
    """Whether chance alone may have made the difference; not where nothing is known of it."""
    return not math.isnan(verdict.p_value) and verdict.p_value >= 1 - confidence
