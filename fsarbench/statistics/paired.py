"""Two assemblies on the same episodes: difference, interval, p-value; several comparisons at once.

What is hard in an episode is mostly hard for both, so the difference varies far less than either
accuracy.
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
    Kind,
    check_confidence,
    named_interval,
    too_few_episodes,
    variance_of_mean,
)
from fsarbench.statistics.video_intervals import DrawnVideos, video_estimate

# Quantiles per estimated variance in the calculation of power.
GRID = 100


# The share of true differences of the smallest detectable size that a test finds.
POWER = 0.8


@dataclass(frozen=True)
class Difference:
    """How much better one assembly is than another.

    Attributes:
        interval: The mean difference and the interval around it.
        p_value: How often chance alone makes a difference at least as large, if there is none.
        one_training: A side was trained once, so that the test compares this one trained model and
            not its method: another training seed may move it by more than the interval says.
        parts: The variance of the mean difference: that over episodes or videos first, then that
            over training seeds where a side has several. Empty where there is no test.
    """

    interval: Interval
    p_value: float
    one_training: bool = False
    parts: tuple[Estimate, ...] = ()

    def detectable(self, level: float, power: float = POWER) -> float:
        """The smallest true difference that a test at this level finds with this power.

        Args:
            level: Of the test, after the correction for other tests.
            power: The share of tests that find it.

        Returns:
            The difference, in the unit of the interval; nan where there is no test. The estimated
            variances are taken for the true ones.
        """
        return smallest_detectable(self.parts, level, power) if self.parts else math.nan


def paired_difference(
    ours: Float64[np.ndarray, "S E"],
    theirs: Float64[np.ndarray, "R E"],
    drawn: DrawnVideos | None = None,
    confidence: float = 0.95,
    trained: tuple[bool, bool] = (True, True),
) -> Difference:
    """The mean of `ours` less the mean of `theirs`, paired by episode (t test).

    The variances of the difference over episodes or videos, and over the training seeds of each
    side that has several, add up. Two sides with several seeds are compared as in Welch's test. The
    squared half widths over videos and over seeds then add up (Banerjee, Sankhya 22, 1960), so that
    the interval covers at least as often as stated. Degrees of freedom of the sum (Satterthwaite)
    would cover too rarely where two or three seeds vary most.

    Args:
        ours: Accuracies: a row a training seed, a column an episode.
        theirs: The same of the other, on the same episodes.
        drawn: What the episodes were made of; None counts episodes as the sample, and the interval
            then says nothing of other videos.
        confidence: The share of such intervals that cover the true difference.
        trained: Whether anything was trained on each side; without training one run is enough.

    Raises:
        ValueError: The confidence is not between 0 and 1.

    Example:
        >>> theirs = np.array([[0.2, 0.4, 0.4, 0.6, 0.8]])
        >>> found = paired_difference(theirs + [[0.2, 0.2, 0.1, 0.2, 0.1]], theirs)
        >>> round(found.interval.mean, 3), round(found.p_value, 3)
        (0.16, 0.003)
    """
    check_confidence(confidence)
    each = ours.mean(axis=0) - theirs.mean(axis=0)
    mean = float(each.mean())
    first = _over_episodes(each) if drawn is None else video_estimate(each, drawn, "difference")
    seeds = _over_seeds(ours, theirs)
    only_seeds = bool(seeds) and len(each) > 1 and np.ptp(each) < SAME
    unavailable = "" if only_seeds else first.unavailable
    parts = seeds if only_seeds else (first, *seeds)
    once = tuple(
        len(side) == 1 and made for side, made in zip((ours, theirs), trained, strict=True)
    )
    kind = _kind((len(ours) > 1, len(theirs) > 1), once, drawn is not None)
    if unavailable:
        interval = named_interval(mean, math.nan, len(each), confidence, kind, unavailable)
        return Difference(interval, 1.0 if np.abs(each).max() < SAME else math.nan, any(once))
    half = half_width(parts, 1 - confidence)
    interval = named_interval(mean, half, len(each), confidence, kind)
    return Difference(interval, _p_value(mean, parts), any(once), parts)


def half_width(parts: Sequence[Estimate], level: float) -> float:
    """Half the width of an interval around a mean whose variance is a sum of estimates.

    Example:
        >>> round(half_width([Estimate(0.01, 60)], 0.05), 3)
        0.2
    """
    squares = [stats.t.isf(level / 2, part.freedom) ** 2 * part.variance for part in parts]
    return float(np.sqrt(sum(squares)))


def smallest_detectable(parts: Sequence[Estimate], level: float, power: float = POWER) -> float:
    """As `Difference.detectable`, for these parts of the variance."""
    scale = math.sqrt(sum(part.variance for part in parts))
    # Critical values as new estimates of the variances give them, on a grid of quantiles.
    squares = np.zeros(1)
    for part in parts:
        shares = (np.arange(GRID) + 0.5) / GRID
        redrawn = part.variance * stats.chi2.ppf(shares, part.freedom) / part.freedom
        widened = stats.t.isf(level / 2, part.freedom) ** 2 * redrawn
        squares = np.add.outer(squares, widened).ravel()
    critical = np.sqrt(squares)

    def missing(difference: float) -> float:
        above = stats.norm.sf((critical - difference) / scale)
        below = stats.norm.cdf((-critical - difference) / scale)
        return float((above + below).mean()) - power

    return float(brentq(missing, 0, critical.max() + 5 * scale, xtol=1e-6 * scale))


def holm(p_values: Sequence[float] | NDArray[np.floating]) -> Float64[np.ndarray, " P"]:
    """P-values corrected for being several (Holm, Scandinavian Journal of Statistics 6, 1979).

    Below 0.05, say, the chance of even one false finding among all of them is at most 0.05.

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    raised = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(raised, 1)
    return corrected


def best_correction(p_values: Sequence[float] | NDArray[np.floating]) -> Float64[np.ndarray, " P"]:
    """P-values of tests against the best row, corrected for having chosen it by its mean.

    The best of several equal rows is above the others by chance. What counts is therefore the range
    of the rows (Tukey's studentized range, of normal values), stepping down from the row that is
    farthest from the best as Holm's method does. With a single other row nothing is corrected.

    Example:
        >>> best_correction([0.001, 0.04]).round(4).tolist()
        [0.0029, 0.04]
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    rows = np.arange(len(values), 0, -1) + 1
    raised = [range_p_value(float(p), int(k)) for p, k in zip(values[order], rows, strict=True)]
    corrected = np.empty_like(values)
    corrected[order] = np.maximum.accumulate(raised)
    return corrected


def range_p_value(p_value: float, rows: int) -> float:
    """How often chance alone puts the farthest two of some rows as far apart as a p-value says.

    Args:
        p_value: Of two rows, two-sided.
        rows: How many there are, equal in truth.
    """
    if rows == 2 or math.isnan(p_value):
        return p_value
    distance = math.sqrt(2) * stats.norm.isf(max(p_value, 1e-300) / 2)
    lowest, step = np.linspace(-9.0, 9.0, 4001, retstep=True)
    inside = stats.norm.cdf(lowest + distance) - stats.norm.cdf(lowest)
    within = rows * step * (stats.norm.pdf(lowest) * inside ** (rows - 1)).sum()
    # Both bounds hold for any number of rows; they keep small p-values exact.
    return float(np.clip(1 - within, p_value, min(1.0, p_value * rows * (rows - 1) / 2)))


def best_level(level: float, rows: int) -> float:
    """The level of each test against the best of some rows that keeps `level` for all of them."""
    if rows == 2:
        return level
    return float(brentq(lambda p: range_p_value(p, rows) - level, level / rows**2, level))


def _over_episodes(each: Float64[np.ndarray, " E"]) -> Estimate:
    reason = too_few_episodes(each, "difference")
    return Estimate(variance_of_mean(each), len(each) - 1, reason)


def _over_seeds(*sides: Float64[np.ndarray, "_ E"]) -> tuple[Estimate, ...]:
    several = [side.mean(axis=1) for side in sides if len(side) > 1]
    variances = [variance_of_mean(means) for means in several]
    if not sum(variances):
        return ()
    below = sum(v**2 / (len(m) - 1) for v, m in zip(variances, several, strict=True))
    return (Estimate(sum(variances), sum(variances) ** 2 / below),)


def _p_value(mean: float, parts: Sequence[Estimate]) -> float:
    if len(parts) == 1:
        (part,) = parts
        return float(2 * stats.t.sf(abs(mean) / np.sqrt(part.variance), part.freedom))

    def wider(logarithm: float) -> float:
        return half_width(parts, math.exp(logarithm)) - abs(mean)

    smallest = math.log(1e-30)  # smaller ones are 0
    if mean == 0 or wider(smallest) <= 0:
        return float(mean == 0)
    return math.exp(brentq(wider, smallest, 0.0))


def _kind(several: tuple[bool, bool], once: Sequence[bool], videos: bool) -> Kind:
    seeds = {
        (True, True): ", and training both again with other seeds",
        (True, False): ", and training the first again with other seeds",
        (False, True): ", and training the second again with other seeds",
        (False, False): "",
    }[several]
    sample = "test videos" if videos else "episodes"
    units = "other test videos of the same classes" if videos else "other episodes of these videos"
    out = "other test classes" if videos else "other test videos and classes"
    unseeded = "; other seeds of what was trained once" if any(once) else ""
    method = f"paired t test over {sample}{' and training seeds' if seeds else ''}"
    return Kind(method=method, covers=units + seeds, leaves_out=out + unseeded)
