"""Intervals around mean accuracies, on plain arrays.

Units: an interval has the unit of what it was computed from, be it fractions or percent.
`fsarbench.video_statistics` has those that count videos or classes as the sample,
`fsarbench.paired` the comparison of two assemblies.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats


@dataclass(frozen=True)
class Interval:
    """A mean and how sure one is of it.

    Attributes:
        mean: The mean.
        low: The lower end; nan where one value alone says nothing of the spread.
        high: The upper end; nan likewise.
        half_width: Half the distance of the ends; nan likewise.
        n: How many values there were.
        confidence: The share of such intervals that cover the true mean.
        method: How it was computed and what varied, in words.
        covers: What it speaks of.
        leaves_out: What it says nothing of.
    """

    mean: float
    low: float
    high: float
    half_width: float
    n: int
    confidence: float
    method: str
    covers: str
    leaves_out: str


@dataclass(frozen=True)
class Kind:
    """What an interval is called: see `Interval`."""

    method: str
    covers: str
    leaves_out: str


EPISODES = Kind(
    method="Student's t over episodes",
    covers="other episodes of the same test videos",
    leaves_out="other test videos, though the same ones come back in many episodes; other test "
    "classes; other training seeds",
)
SEEDS = Kind(
    method="Student's t over training seeds",
    covers="training again with other seeds",
    leaves_out="other test videos and classes",
)


def mean_interval(
    accuracies: Sequence[float] | NDArray[np.floating], confidence: float = 0.95
) -> Interval:
    """The interval of one trained model's mean accuracy over test episodes (Student's t).

    It speaks of the draw of episodes only: not of the training seed, nor of the test videos, which
    come back in many episodes.

    Raises:
        ValueError: There are no values, or the confidence is not between 0 and 1.

    Example:
        >>> interval = mean_interval([0.2, 0.4, 0.6])
        >>> round(interval.mean, 3), round(interval.half_width, 3)
        (0.4, 0.497)
    """
    return _student(accuracies, confidence, EPISODES)


def seed_interval(
    means: Sequence[float] | NDArray[np.floating], confidence: float = 0.95
) -> Interval:
    """The interval of a method's mean accuracy over training seeds (Student's t).

    Args:
        means: One mean accuracy a training seed.
        confidence: As in `mean_interval`.

    Raises:
        ValueError: There are no values, or the confidence is not between 0 and 1.
    """
    return _student(means, confidence, SEEDS)


def interval_of(
    mean: float, variance: float, freedom: float | int, n: int, confidence: float, kind: Kind
) -> Interval:
    """The interval of a mean whose variance was estimated (Student's t).

    Args:
        mean: The mean.
        variance: Of the mean; nan where it cannot be known.
        freedom: The degrees of freedom of the variance.
        n: How many values the mean is of.
        confidence: As in `mean_interval`.
        kind: What it is called.

    Raises:
        ValueError: The confidence is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence} must lie between 0 and 1.")
    half = float("nan")
    if freedom > 0:
        half = float(stats.t.ppf((1 + confidence) / 2, freedom) * np.sqrt(variance))
    names = (kind.method, kind.covers, kind.leaves_out)
    return Interval(mean, mean - half, mean + half, half, n, confidence, *names)


def variance_of_mean(values: NDArray[np.floating]) -> float:
    """The variance of the mean of independent values; nan with one value."""
    return float(values.var(ddof=1) / values.size) if values.size > 1 else float("nan")


def _student(
    values: Sequence[float] | NDArray[np.floating], confidence: float, kind: Kind
) -> Interval:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size == 0:
        raise ValueError(f"An interval needs a list of values, not an array of {sample.shape}.")
    n = sample.size
    return interval_of(float(sample.mean()), variance_of_mean(sample), n - 1, n, confidence, kind)
