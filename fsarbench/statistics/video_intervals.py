"""Intervals that count test videos or test classes as the sample, on plain arrays.

Ten thousand episodes over a thousand videos are no ten thousand independent values: two episodes
that share a video share its difficulty (arXiv 2409.02850). What is computed here is the variance
over pairs of episodes, as in dyadic regression and for U-statistics: the covariance of two episodes
is estimated from all pairs that share a video, and a pair that shares none counts nothing. A
bootstrap that weighs episodes by products of video weights estimates the same, with a noise that
grows as 2 to the number of videos of an episode.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from fsarbench.statistics.intervals import (
    Estimate,
    Interval,
    Kind,
    interval_of,
    too_few_episodes,
    variance_of_mean,
)

VIDEOS = Kind(
    method="Student's t, variance over all pairs of episodes that share a test video",
    covers="other test videos of the same classes, and the draw of episodes",
    leaves_out="other test classes; other training seeds",
)
CLASSES = Kind(
    method="Student's t, variance over all pairs of episodes that share a test class",
    covers="other test classes with other videos, and the draw of episodes",
    leaves_out="other training seeds",
)
DISJOINT = Kind(
    method="Student's t over the first episodes that share no test video",
    covers="other test videos of the same classes, as if each video were used once",
    leaves_out="other test classes; other training seeds",
)

# With fewer degrees of freedom a variance is hardly more than chance. Where its own noise widens an
# interval by less than 2 % (this difference of 1 / degrees of freedom), that noise is not counted.
FEWEST_FREEDOM = 4
NEGLIGIBLE = 1 / 60

Accuracies = Float64[np.ndarray, " E"]


@dataclass(frozen=True)
class DrawnVideos:
    """The videos that episodes were made of.

    Attributes:
        videos: The videos of each episode, support and query alike.
        labels: The class of each video that could have been drawn.
    """

    videos: Int64[np.ndarray, "E M"]
    labels: Int64[np.ndarray, " V"]


def video_interval(
    accuracies: Accuracies, drawn: DrawnVideos, confidence: float = 0.95
) -> Interval:
    """The interval of one model's mean accuracy over test videos of these classes.

    Args:
        accuracies: Of each episode.
        drawn: What the episodes were made of.
        confidence: The share of such intervals that cover the true mean.

    Raises:
        ValueError: The confidence is not between 0 and 1.
    """
    estimate = video_estimate(accuracies, drawn)
    return interval_of(float(accuracies.mean()), estimate, len(drawn.labels), confidence, VIDEOS)


def class_interval(
    accuracies: Accuracies, classes: Int64[np.ndarray, "E N"], count: int, confidence: float = 0.95
) -> Interval:
    """The interval of one model's mean accuracy over test classes, each with its videos.

    Args:
        accuracies: Of each episode.
        classes: The classes of each episode.
        count: How many classes could have been drawn.
        confidence: As in `video_interval`.

    Raises:
        ValueError: The confidence is not between 0 and 1.
    """
    mean = float(accuracies.mean())
    if classes.shape[1] == count:
        reason = f"every episode holds all {count} test classes, so classes never vary"
        estimate = Estimate(math.nan, count - 1, reason)
    else:
        shared = _shared_variance(accuracies, classes, np.zeros(count, dtype=np.int64))
        estimate = _estimate(accuracies, shared, count - 1, "classes")
    return interval_of(mean, estimate, count, confidence, CLASSES)


def disjoint_interval(
    accuracies: Accuracies, drawn: DrawnVideos, confidence: float = 0.95
) -> Interval:
    """The mean and interval over episodes drawn without replacement (arXiv 2409.02850).

    Few episodes remain, so it is wider than `video_interval` and has a mean of its own; it needs no
    more than that episodes without common videos are independent.
    """
    kept = accuracies[disjoint_episodes(drawn.videos)]
    estimate = Estimate(variance_of_mean(kept), len(kept) - 1, too_few_episodes(kept))
    return interval_of(float(kept.mean()), estimate, len(kept), confidence, DISJOINT)


def disjoint_episodes(videos: Int64[np.ndarray, "E M"]) -> Bool[np.ndarray, " E"]:
    """Marks episodes that share no video with an earlier marked one.

    Example:
        >>> disjoint_episodes(np.array([[0, 1], [1, 2], [2, 3]])).tolist()
        [True, False, True]
    """
    used = np.zeros(videos.max() + 1, dtype=bool)
    kept = np.zeros(len(videos), dtype=bool)
    for number, episode in enumerate(videos):
        if not used[episode].any():
            used[episode] = kept[number] = True
    return kept


def video_estimate(values: Accuracies, drawn: DrawnVideos, noun: str = "accuracy") -> Estimate:
    """Variance of a mean over episodes over new draws of videos of the same classes.

    Args:
        values: Accuracies of episodes, or differences of them.
        drawn: What the episodes were made of.
        noun: What the values are.
    """
    freedom = len(drawn.labels) - len(np.unique(drawn.labels))
    shared = _shared_variance(values, drawn.videos, drawn.labels)
    return _estimate(values, shared, freedom, "videos", noun)


def video_variance(values: Accuracies, drawn: DrawnVideos) -> float:
    """The variance of `video_estimate`; nan where every episode takes all videos of a class."""
    shared = _shared_variance(values, drawn.videos, drawn.labels).variance
    return variance_of_mean(values) + max(0.0, shared)


@dataclass(frozen=True)
class _Shared:
    # What pairs of episodes add to the variance of the mean, and the variance of this estimate.
    variance: float
    noise: float


def _estimate(
    values: Accuracies, shared: _Shared, most: int, sample: str, noun: str = "accuracy"
) -> Estimate:
    if math.isnan(shared.variance):
        reason = f"every episode takes all {sample} of a class, so nothing is known of others"
        return Estimate(math.nan, most, reason)
    if reason := too_few_episodes(values, noun):
        return Estimate(math.nan, most, reason)
    alone = variance_of_mean(values)
    variance = alone + max(0.0, shared.variance)
    # Satterthwaite: few episodes say little of what videos do, however many videos there are.
    freedom = 2 * variance**2 / (shared.noise + 2 * alone**2 / (len(values) - 1))
    if freedom < FEWEST_FREEDOM:
        reason = (
            f"{len(values):,} episodes do not tell the spread between {sample} from chance; "
            "test on more episodes"
        )
        return Estimate(math.nan, freedom, reason)
    noisy = 1 / freedom - 1 / most > NEGLIGIBLE
    return Estimate(variance, freedom if noisy else most)


def _shared_variance(
    values: Accuracies, members: Int64[np.ndarray, "E M"], groups: Int64[np.ndarray, " V"]
) -> _Shared:
    # What pairs of episodes add to the variance of the mean, for members drawn inside their group.
    group = groups[members]
    count = int(groups.max()) + 1
    size = np.bincount(groups, minlength=count)
    drawn = np.bincount(group.ravel(), minlength=count)
    each = drawn / np.maximum(_episodes_of_groups(group, count), 1)
    repeated = np.repeat(values, members.shape[1])
    means = np.bincount(group.ravel(), repeated, count) / np.maximum(drawn, 1)
    rest = repeated - means[group.ravel()]
    sums = np.bincount(members.ravel(), rest, len(groups))
    # A sum squared holds every episode paired with itself as well: taken off again. The group's
    # mean and the other members of an episode, drawn from the same few, hide part of a member's
    # effect: the last factor, as the jackknife would have it.
    pairs = np.bincount(groups, sums**2, count)
    itself = (1 - each / np.maximum(size, 1)) * np.bincount(group.ravel(), rest**2, count)
    met = drawn > 0
    left = (size - each)[met]
    if (left <= 0).any():
        return _Shared(math.nan, math.nan)
    factor = (size * (size - 1))[met] / left**2
    effects = (pairs - itself)[met] * (size * (size - 1))[met] / left**2
    # Sums over many episodes are nearly normal, so the squares of a group vary as a chi-square.
    noise = 2 * (factor * pairs[met]) ** 2 / (size[met] + 1)
    return _Shared(float(effects.sum()) / len(values) ** 2, float(noise.sum()) / len(values) ** 4)


def _episodes_of_groups(
    group: Int64[np.ndarray, "E M"], count: int
) -> Int64[np.ndarray, " groups"]:
    ordered = np.sort(group, axis=1)
    first = np.ones_like(ordered, dtype=bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    return np.bincount(ordered[first], minlength=count)
