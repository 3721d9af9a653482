"""Two assemblies on the same episodes: difference, interval, p-value; several comparisons at once.

What is hard in an episode is mostly hard for both, so the difference varies far less than either
accuracy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray
from scipy import stats

from fsarbench.statistics import Interval, Kind, interval_of, variance_of_mean
from fsarbench.video_statistics import DrawnVideos, video_freedom, video_variance


@dataclass(frozen=True)
class Difference:
    """How much better one assembly is than another.

    Attributes:
        interval: The mean difference and the interval around it.
        p_value: How often chance alone makes a difference at least as large, if there is none.
    """

    interval: Interval
    p_value: float


def paired_difference(
    ours: Float64[np.ndarray, "S E"],
    theirs: Float64[np.ndarray, "R E"],
    drawn: DrawnVideos | None = None,
    confidence: float = 0.95,
) -> Difference:
    """The mean of `ours` less the mean of `theirs`, paired by episode (t test).

    The variance of the difference over episodes or videos, and over the training seeds of each side
    that has several, add up; the degrees of freedom are those of Welch and Satterthwaite.

    Args:
        ours: Accuracies: a row a training seed, a column an episode.
        theirs: The same of the other, on the same episodes.
        drawn: What the episodes were made of; None counts episodes as the sample, and the interval
            then says nothing of other videos.
        confidence: The share of such intervals that cover the true difference.

    Raises:
        ValueError: The confidence is not between 0 and 1.

    Example:
        >>> theirs = np.array([[0.2, 0.4, 0.6, 0.8]])
        >>> found = paired_difference(theirs + [[0.2, 0.2, 0.2, 0.1]], theirs)
        >>> round(found.interval.mean, 3), round(found.p_value, 3)
        (0.175, 0.006)
    """
    each = ours.mean(axis=0) - theirs.mean(axis=0)
    variances = [variance_of_mean(each) if drawn is None else video_variance(each, drawn)]
    freedoms = [len(each) - 1 if drawn is None else video_freedom(drawn)]
    for side in (ours, theirs):
        if len(side) > 1:
            variances.append(variance_of_mean(side.mean(axis=1)))
            freedoms.append(len(side) - 1)
    mean, variance = float(each.mean()), sum(variances)
    freedom = _satterthwaite(variances, freedoms)
    kind = _kind(len(ours) > 1, len(theirs) > 1, drawn is not None)
    interval = interval_of(mean, variance, freedom, len(each), confidence, kind)
    return Difference(interval, _p_value(mean, variance, freedom))


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


def _satterthwaite(variances: Sequence[float], freedoms: Sequence[int]) -> float:
    parts = zip(variances, freedoms, strict=True)
    below = sum(variance**2 / freedom for variance, freedom in parts if freedom)
    # Nothing varies: any number serves, for the interval has no width.
    return sum(variances) ** 2 / below if below else float(min(freedoms))


def _p_value(mean: float, variance: float, freedom: float) -> float:
    if variance == 0:
        return float(mean == 0)
    return float(2 * stats.t.sf(abs(mean) / np.sqrt(variance), freedom))


def _kind(ours: bool, theirs: bool, videos: bool) -> Kind:
    seeds = {
        (True, True): ", and training both again with other seeds",
        (True, False): ", and training the first again with other seeds",
        (False, True): ", and training the second again with other seeds",
        (False, False): "",
    }[ours, theirs]
    sample = "test videos" if videos else "episodes"
    units = "other test videos of the same classes" if videos else "other episodes of these videos"
    out = "other test classes" if videos else "other test videos and classes"
    unseeded = "" if ours and theirs else "; other seeds of what was trained once"
    method = f"paired t test over {sample}{' and training seeds' if seeds else ''}"
    return Kind(method=method, covers=units + seeds, leaves_out=out + unseeded)
