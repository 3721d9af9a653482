"""Confidence intervals of mean accuracies, from plain arrays.

An interval has the unit of its values, fractions or percent. Intervals over videos or classes are
in `fsarbench.statistics.video_intervals`, comparisons of two models in
`fsarbench.statistics.paired`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats


@dataclass(frozen=True)
class Interval:
    """Mean with confidence interval.

    Attributes:
        mean: Mean of the values.
        low: Lower end; NaN without an interval.
        high: Upper end; NaN without an interval.
        half_width: Half the width; NaN without an interval.
        n: Number of sampled units, such as episodes or videos.
        confidence: Confidence level, between 0 and 1.
        method: Method and sampled units in words.
        covers: Sources of variation that the interval covers.
        leaves_out: Sources of variation that it does not cover.
        unavailable: Reason why there is no interval; empty if there is one.
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
    """Estimated variance of a mean.

    Attributes:
        variance: Variance of the mean.
        dof: Degrees of freedom of the estimate.
        unavailable: Reason why the variance cannot be estimated; empty if it can.
    """

    variance: float
    dof: float | int
    unavailable: str = ""


@dataclass(frozen=True)
class IntervalKind:
    """Description of an interval, as in `Interval`."""

    method: str
    covers: str
    leaves_out: str


EPISODES = IntervalKind(
    method="Student's t over episodes",
    covers="other episodes of the same test videos",
    leaves_out="other test videos, though the same ones come back in many episodes; other test "
    "classes; other training seeds",
)
# With fewer episodes, Student's t covers the true mean too rarely (benchmarks/coverage.py).
MIN_EPISODES = 5
SKEWNESS_FACTOR = 10
# Values that differ by less are regarded as equal, because of rounding.
SAME = 1e-9
SEEDS = IntervalKind(
    method="Student's t over training seeds",
    covers="training again with other seeds",
    leaves_out="other test videos and classes",
)


def mean_interval(
    accuracies: Sequence[float] | NDArray[np.floating], confidence: float = 0.95
) -> Interval:
    """Interval of one model's mean accuracy over test episodes (Student's t).

    It covers the sampling of episodes only. It covers neither other training seeds nor other test
    videos, because the same videos occur in many episodes. It is unavailable if `too_few_episodes`
    returns a reason.

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
    """Interval of a method's mean accuracy over training seeds (Student's t).

    Args:
        means: Mean accuracy of each training seed.
        confidence: Confidence level.

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
    """Reason why these episodes are too few for an interval; empty if they suffice.

    Student's t does not hold for the mean of few values, or of values that are nearly all equal (an
    accuracy close to 0 or 1). The minimum is 5 episodes, and 10 times the squared skewness of the
    values.

    Args:
        values: One value per episode.
        noun: Name of the values in the reason.
    """
    n, centred = values.size, values - values.mean()
    if n < MIN_EPISODES:
        return f"{n} independent episode{'' if n == 1 else 's'}, fewer than {MIN_EPISODES}"
    if np.ptp(values) < SAME:
        return f"all {n:,} episodes have the same {noun}, which says nothing about their spread"
    skewness = float((centred**3).mean() / (centred**2).mean() ** 1.5)
    needed = math.ceil(SKEWNESS_FACTOR * skewness**2)
    if n < needed:
        return f"too few episodes differ in {noun}: so skewed values need {needed:,} episodes"
    return ""


def interval_of(
    mean: float, estimate: Estimate, n: int, confidence: float, kind: IntervalKind
) -> Interval:
    """Interval of a mean with estimated variance (Student's t).

    Args:
        mean: Mean of the values.
        estimate: Estimated variance of the mean.
        n: Number of sampled units.
        confidence: Confidence level.
        kind: Description of the interval.

    Raises:
        ValueError: The confidence is not between 0 and 1.
    """
    check_confidence(confidence)
    half = float("nan")
    if not estimate.unavailable:
        quantile = stats.t.ppf((1 + confidence) / 2, estimate.dof)
        half = float(quantile * np.sqrt(estimate.variance))
    return named_interval(mean, half, n, confidence, kind, estimate.unavailable)


def named_interval(
    mean: float, half: float, n: int, confidence: float, kind: IntervalKind, unavailable: str = ""
) -> Interval:
    """Interval with a given half width, or an unavailable interval with the reason."""
    half = float("nan") if unavailable else half
    words = (kind.method, kind.covers, kind.leaves_out, unavailable)
    return Interval(mean, mean - half, mean + half, half, n, confidence, *words)


def check_confidence(confidence: float) -> None:
    """Raise an error unless the confidence level is between 0 and 1.

    Raises:
        ValueError: The level is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence} must be between 0 and 1.")


def variance_of_mean(values: NDArray[np.floating]) -> float:
    """Variance of the mean of independent values; NaN for one value."""
    return float(values.var(ddof=1) / values.size) if values.size > 1 else float("nan")


def _checked(values: Sequence[float] | NDArray[np.floating]) -> NDArray[np.float64]:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size == 0:
        raise ValueError(
            f"An interval needs a list of values, not an array of shape {sample.shape}."
        )
    return sample


def _student(
    sample: NDArray[np.float64], confidence: float, kind: IntervalKind, unavailable: str
) -> Interval:
    estimate = Estimate(variance_of_mean(sample), sample.size - 1, unavailable)
    return interval_of(float(sample.mean()), estimate, sample.size, confidence, kind)
