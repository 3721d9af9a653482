"""Intervals around mean accuracies, on plain arrays.

Units: an interval has the unit of what it was computed from, be it fractions or percent.
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
    """

    mean: float
    low: float
    high: float
    half_width: float
    n: int
    confidence: float
    method: str


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
    return _student(accuracies, confidence, "Student's t over episodes")


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
    return _student(means, confidence, "Student's t over training seeds")


def _student(
    values: Sequence[float] | NDArray[np.floating], confidence: float, method: str
) -> Interval:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size == 0:
        raise ValueError(f"An interval needs a list of values, not an array of {sample.shape}.")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence} must lie between 0 and 1.")
    mean, n = float(sample.mean()), sample.size
    half = float("nan")
    if n > 1:
        quantile = stats.t.ppf((1 + confidence) / 2, n - 1)
        half = float(quantile * sample.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, half, n, confidence, method)
