"""Intervals around mean accuracies, on plain arrays.

Units: an interval has the unit of what it was computed from, be it fractions or percent.
`fsarbench.statistics.video_intervals` has those that count videos or classes as the sample,
`fsarbench.statistics.paired` the comparison of two assemblies.
"""

import math
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
        low: The lower end; nan where there is no interval.
        high: The upper end; nan likewise.
        half_width: Half the distance of the ends; nan likewise.
        n: How many values there were.
        confidence: The share of such intervals that cover the true mean.
        method: How it was computed and what varied, in words.
        covers: What it speaks of.
        leaves_out: What it says nothing of.
        unavailable: Why there is no interval, in words; empty where there is one.
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
    unavailable: str = ""


@dataclass(frozen=True)
class Estimate:
    """The estimated variance of a mean.

    Attributes:
        variance: The variance.
        freedom: Its degrees of freedom.
        unavailable: Why it cannot be estimated, in words; empty where it can.
    """

    variance: float
    freedom: float | int
    unavailable: str = ""


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
# Below these, simulations (benchmarks/coverage.py) show that Student's t covers too rarely.
FEWEST_EPISODES = 5
SKEWNESS_FACTOR = 10
# Values that are closer differ by rounding.
SAME = 1e-9
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
    come back in many episodes. It is unavailable where `too_few_episodes` gives a reason.

    Raises:
        ValueError: There are no values, or the confidence is not between 0 and 1.

    Example:
        >>> interval = mean_interval([0.2, 0.4, 0.4, 0.4, 0.6])
        >>> round(interval.mean, 3), round(interval.half_width, 3)
        (0.4, 0.176)
        >>> mean_interval([1.0, 1.0, 1.0, 1.0, 1.0]).unavailable
        'all 5 episodes have the same accuracy, which says nothing about their spread'
    """
    sample = _checked(accuracies)
    return _student(sample, confidence, EPISODES, too_few_episodes(sample))


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
    sample = _checked(means)
    reason = ""
    if sample.size == 1:
        reason = "there is one training seed"
    elif np.ptp(sample) < SAME:
        reason = f"all {sample.size} training seeds have the same accuracy"
    return _student(sample, confidence, SEEDS, reason)


def too_few_episodes(values: NDArray[np.floating], noun: str = "accuracy") -> str:
    """Why no interval can be computed from these episodes; empty where one can.

    The mean of few values, or of values that are nearly all equal (an accuracy close to 0 or 1), is
    not distributed as Student's t assumes. Needed are 5 episodes, and 10 times the squared skewness
    of their values.

    Args:
        values: One value per episode.
        noun: What the values are.
    """
    n, centred = values.size, values - values.mean()
    if n < FEWEST_EPISODES:
        return f"{n} independent episode{'' if n == 1 else 's'}, fewer than {FEWEST_EPISODES}"
    if np.ptp(values) < SAME:
        return f"all {n:,} episodes have the same {noun}, which says nothing about their spread"
    skewness = float((centred**3).mean() / (centred**2).mean() ** 1.5)
    needed = math.ceil(SKEWNESS_FACTOR * skewness**2)
    if n < needed:
        return f"too few episodes differ in {noun}: so skewed values need {needed:,} episodes"
    return ""


def interval_of(mean: float, estimate: Estimate, n: int, confidence: float, kind: Kind) -> Interval:
    """The interval of a mean whose variance was estimated (Student's t).

    Args:
        mean: The mean.
        estimate: Of the variance of the mean.
        n: How many values the mean is of.
        confidence: As in `mean_interval`.
        kind: What it is called.

    Raises:
        ValueError: The confidence is not between 0 and 1.
    """
    check_confidence(confidence)
    half = float("nan")
    if not estimate.unavailable:
        quantile = stats.t.ppf((1 + confidence) / 2, estimate.freedom)
        half = float(quantile * np.sqrt(estimate.variance))
    return named_interval(mean, half, n, confidence, kind, estimate.unavailable)


def named_interval(
    mean: float, half: float, n: int, confidence: float, kind: Kind, unavailable: str = ""
) -> Interval:
    """The interval of a known half width; of none, with the reason, where it is unavailable."""
    half = float("nan") if unavailable else half
    names = (kind.method, kind.covers, kind.leaves_out, unavailable)
    return Interval(mean, mean - half, mean + half, half, n, confidence, *names)


def check_confidence(confidence: float) -> None:
    """Refuse a confidence that is no share.

    Raises:
        ValueError: It is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence} must lie between 0 and 1.")


def variance_of_mean(values: NDArray[np.floating]) -> float:
    """The variance of the mean of independent values; nan with one value."""
    return float(values.var(ddof=1) / values.size) if values.size > 1 else float("nan")


def _checked(values: Sequence[float] | NDArray[np.floating]) -> NDArray[np.float64]:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size == 0:
        raise ValueError(f"An interval needs a list of values, not an array of {sample.shape}.")
    return sample


def _student(
    sample: NDArray[np.float64], confidence: float, kind: Kind, unavailable: str
) -> Interval:
    estimate = Estimate(variance_of_mean(sample), sample.size - 1, unavailable)
    return interval_of(float(sample.mean()), estimate, sample.size, confidence, kind)
