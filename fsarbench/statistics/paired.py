"""Paired comparison of two models on the same episodes, and corrections for multiple tests.

Most episodes are hard or easy for both models. The difference of their accuracies therefore varies
much less than either accuracy.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from fsarbench.statistics.intervals import (
    SAME,
    Estimate,
    Interval,
    IntervalKind,
    check_confidence,
    named_interval,
    too_few_episodes,
    variance_of_mean,
)
from fsarbench.statistics.video_intervals import EpisodeVideos, video_estimate

# Number of quantiles per estimated variance in the calculation of power.
GRID = 100

# Probability that a test finds a true difference of the smallest detectable size.
POWER = 0.8


@dataclass(frozen=True)
class Difference:
    """Difference of the mean accuracies of two models, with interval and p-value.

    Attributes:
        interval: Mean difference with confidence interval.
        p_value: Probability of a difference at least as large if the true difference is 0.
        one_training: Whether a side was trained only once. The test then compares this trained
            model, not its method: another training seed may change the result by more than the
            interval.
        variances: Variance of the mean difference over episodes or videos, then over training
            seeds if a side has several. Empty if there is no test.
    """

    interval: Interval
    p_value: float
    one_training: bool = False
    variances: tuple[Estimate, ...] = ()

    def detectable(self, level: float, power: float = POWER) -> float:
        """Smallest true difference that a test at this level finds with this power.

        Args:
            level: Significance level, after the correction for multiple tests.
            power: Probability that the test finds the difference.

        Returns:
            Difference in the unit of the interval; NaN if there is no test. It treats the estimated
            variances as the true ones.
        """
        return smallest_detectable(self.variances, level, power) if self.variances else math.nan


def paired_difference(
    first: Float64[np.ndarray, "S E"],
    second: Float64[np.ndarray, "R E"],
    episode_videos: EpisodeVideos | None = None,
    confidence: float = 0.95,
    trained: tuple[bool, bool] = (True, True),
) -> Difference:
    """Mean accuracy of `first` minus that of `second`, paired by episode (t test).

    The variance of the difference is the sum of its variance over episodes or videos and its
    variances over the training seeds of each side with several seeds. Two sides with several seeds
    are compared as in Welch's test. The squared half widths over videos and over seeds are added
    (Banerjee, Sankhya 22, 1960), so that the coverage is at least the confidence level. With
    Satterthwaite's degrees of freedom, the coverage would be too low if the variance over two or
    three seeds dominates.

    Args:
        first: Accuracies of the first model: one row per training seed, one column per episode.
        second: Accuracies of the second model on the same episodes.
        episode_videos: Videos of the episodes; None for an interval over episodes, which does not
            cover other test videos.
        confidence: Confidence level.
        trained: Whether each side was trained at all; without training, one run is enough.

    Raises:
        ValueError: The confidence is not between 0 and 1.

    Example:
        >>> second = np.array([[0.2, 0.4, 0.4, 0.6, 0.8]])
        >>> difference = paired_difference(second + [[0.2, 0.2, 0.1, 0.2, 0.1]], second)
        >>> round(difference.interval.mean, 3), round(difference.p_value, 3)
        (0.16, 0.003)
    """
    check_confidence(confidence)
    differences = first.mean(axis=0) - second.mean(axis=0)
    mean, count = float(differences.mean()), len(differences)
    sample = (
        _over_episodes(differences)
        if episode_videos is None
        else video_estimate(differences, episode_videos, "difference")
    )
    seeds = _over_seeds(first, second)
    only_seeds = bool(seeds) and count > 1 and np.ptp(differences) < SAME
    unavailable = "" if only_seeds else sample.unavailable
    variances = seeds if only_seeds else (sample, *seeds)
    trained_once = tuple(
        len(side) == 1 and was_trained
        for side, was_trained in zip((first, second), trained, strict=True)
    )
    one_training = any(trained_once)
    kind = _kind((len(first) > 1, len(second) > 1), one_training, episode_videos is not None)
    if unavailable:
        interval = named_interval(mean, math.nan, count, confidence, kind, unavailable)
        p_value = 1.0 if np.abs(differences).max() < SAME else math.nan
        return Difference(interval, p_value, one_training)
    half = half_width(variances, 1 - confidence)
    interval = named_interval(mean, half, count, confidence, kind)
    return Difference(interval, _p_value(mean, variances), one_training, variances)


def half_width(variances: Sequence[Estimate], level: float) -> float:
    """Half width of the interval of a mean whose variance is a sum of estimates.

    Example:
        >>> round(half_width([Estimate(0.01, 60)], 0.05), 3)
        0.2
    """
    squares = [stats.t.isf(level / 2, e.dof) ** 2 * e.variance for e in variances]
    return float(np.sqrt(sum(squares)))


def smallest_detectable(variances: Sequence[Estimate], level: float, power: float = POWER) -> float:
    """Smallest detectable difference, as in `Difference.detectable`, for given variances."""
    scale = math.sqrt(sum(e.variance for e in variances))
    # Critical values for other possible estimates of the variances, on a grid of quantiles.
    squares = np.zeros(1)
    for e in variances:
        quantiles = (np.arange(GRID) + 0.5) / GRID
        estimates = e.variance * stats.chi2.ppf(quantiles, e.dof) / e.dof
        squared_widths = stats.t.isf(level / 2, e.dof) ** 2 * estimates
        squares = np.add.outer(squares, squared_widths).ravel()
    critical = np.sqrt(squares)

    def excess_power(difference: float) -> float:
        above = stats.norm.sf((critical - difference) / scale)
        below = stats.norm.cdf((-critical - difference) / scale)
        return float((above + below).mean()) - power

    return float(brentq(excess_power, 0, critical.max() + 5 * scale, xtol=1e-6 * scale))


def holm(p_values: Sequence[float] | NDArray[np.floating]) -> Float64[np.ndarray, " P"]:
    """P-values corrected for multiple tests (Holm, Scandinavian Journal of Statistics 6, 1979).

    If tests with a corrected p-value below 0.05 are called significant, the probability of any
    false finding is at most 0.05.

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    adjusted = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(adjusted, 1)
    return corrected


def best_correction(p_values: Sequence[float] | NDArray[np.floating]) -> Float64[np.ndarray, " P"]:
    """P-values of tests against the best row, corrected because the best was chosen by its mean.

    The best of several equal rows exceeds the others by chance. The correction therefore uses the
    distribution of the range of the rows (Tukey's studentized range of normal values). It steps
    down from the row farthest from the best, as Holm's method does. With only one other row, there
    is no correction.

    Example:
        >>> best_correction([0.001, 0.04]).round(4).tolist()
        [0.0029, 0.04]
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    rows = np.arange(len(values), 0, -1) + 1
    adjusted = [range_p_value(float(p), int(k)) for p, k in zip(values[order], rows, strict=True)]
    corrected = np.empty_like(values)
    corrected[order] = np.maximum.accumulate(adjusted)
    return corrected


def range_p_value(p_value: float, rows: int) -> float:
    """P-value of the range of several equal rows, from the p-value of two rows.

    Args:
        p_value: Two-sided p-value of the largest and the smallest row.
        rows: Number of rows.
    """
    if rows == 2 or math.isnan(p_value):
        return p_value
    distance = math.sqrt(2) * stats.norm.isf(max(p_value, 1e-300) / 2)
    lowest, step = np.linspace(-9.0, 9.0, 4001, retstep=True)
    inside = stats.norm.cdf(lowest + distance) - stats.norm.cdf(lowest)
    within = rows * step * (stats.norm.pdf(lowest) * inside ** (rows - 1)).sum()
    # The bounds hold for any number of rows, and correct rounding errors of small p-values.
    return float(np.clip(1 - within, p_value, min(1.0, p_value * rows * (rows - 1) / 2)))


def best_level(level: float, rows: int) -> float:
    """Level of each test against the best row that gives the level `level` for all tests."""
    if rows == 2:
        return level
    return float(brentq(lambda p: range_p_value(p, rows) - level, level / rows**2, level))


def _over_episodes(differences: Float64[np.ndarray, " E"]) -> Estimate:
    reason = too_few_episodes(differences, "difference")
    return Estimate(variance_of_mean(differences), len(differences) - 1, reason)


def _over_seeds(*sides: Float64[np.ndarray, "_ E"]) -> tuple[Estimate, ...]:
    means_by_side = [side.mean(axis=1) for side in sides if len(side) > 1]
    variances = [variance_of_mean(means) for means in means_by_side]
    if not sum(variances):
        return ()
    # Welch's degrees of freedom.
    denominator = sum(v**2 / (len(m) - 1) for v, m in zip(variances, means_by_side, strict=True))
    return (Estimate(sum(variances), sum(variances) ** 2 / denominator),)


def _p_value(mean: float, variances: Sequence[Estimate]) -> float:
    if len(variances) == 1:
        (estimate,) = variances
        return float(2 * stats.t.sf(abs(mean) / np.sqrt(estimate.variance), estimate.dof))

    def excess_width(log_level: float) -> float:
        return half_width(variances, math.exp(log_level)) - abs(mean)

    smallest = math.log(1e-30)  # smaller p-values are returned as 0
    if mean == 0 or excess_width(smallest) <= 0:
        return float(mean == 0)
    return math.exp(brentq(excess_width, smallest, 0.0))


def _kind(several: tuple[bool, bool], one_training: bool, videos: bool) -> IntervalKind:
    seeds = {
        (True, True): ", and training both again with other seeds",
        (True, False): ", and training the first again with other seeds",
        (False, True): ", and training the second again with other seeds",
        (False, False): "",
    }[several]
    sample = "test videos" if videos else "episodes"
    units = "other test videos of the same classes" if videos else "other episodes of these videos"
    out = "other test classes" if videos else "other test videos and classes"
    other_seeds = "; other seeds of what was trained once" if one_training else ""
    method = f"paired t test over {sample}{' and training seeds' if seeds else ''}"
    return IntervalKind(method=method, covers=units + seeds, leaves_out=out + other_seeds)
