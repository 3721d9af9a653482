"""Confidence intervals over test videos or test classes, from plain arrays.

Ten thousand episodes over a thousand videos are not ten thousand independent values, because
episodes that share a video share its difficulty (arXiv 2409.02850). This module sums the estimated
covariances of all pairs of episodes that share a video, as in dyadic regression and for
U-statistics; pairs without a common video have covariance 0. A bootstrap that weights episodes by
products of video weights estimates the same variance, but its noise grows as 2 to the power of the
number of videos per episode.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from fsarbench.statistics.intervals import (
    Estimate,
    Interval,
    IntervalKind,
    interval_of,
    too_few_episodes,
    variance_of_mean,
)

VIDEOS = IntervalKind(
    method="Student's t, variance over all pairs of episodes that share a test video",
    covers="other test videos of the same classes, and the draw of episodes",
    leaves_out="other test classes; other training seeds",
)
CLASSES = IntervalKind(
    method="Student's t, variance over all pairs of episodes that share a test class",
    covers="other test classes with other videos, and the draw of episodes",
    leaves_out="other training seeds",
)
DISJOINT = IntervalKind(
    method="Student's t over the first episodes that share no test video",
    covers="other test videos of the same classes, as if each video were used once",
    leaves_out="other test classes; other training seeds",
)

# With fewer degrees of freedom, an estimated variance is unreliable. If the noise of the estimate
# widens an interval by less than 2 % (this difference of 1 / degrees of freedom), it is ignored.
MIN_DOF = 4
NEGLIGIBLE = 1 / 60

Accuracies = Float64[np.ndarray, " E"]


@dataclass(frozen=True)
class EpisodeVideos:
    """Videos of test episodes.

    Attributes:
        videos: Support and query videos of each episode.
        labels: Class of each video of the split.
    """

    videos: Int64[np.ndarray, "E M"]
    labels: Int64[np.ndarray, " V"]


def video_interval(
    accuracies: Accuracies, episode_videos: EpisodeVideos, confidence: float = 0.95
) -> Interval:
    """Interval of one model's mean accuracy over test videos of the same classes.

    Args:
        accuracies: Accuracy of each episode.
        episode_videos: Videos of the episodes.
        confidence: Confidence level.

    Raises:
        ValueError: The confidence is not between 0 and 1.
    """
    estimate = video_estimate(accuracies, episode_videos)
    return interval_of(
        float(accuracies.mean()), estimate, len(episode_videos.labels), confidence, VIDEOS
    )


def class_interval(
    accuracies: Accuracies, classes: Int64[np.ndarray, "E N"], count: int, confidence: float = 0.95
) -> Interval:
    """Interval of one model's mean accuracy over test classes and their videos.

    Args:
        accuracies: Accuracy of each episode.
        classes: Classes of each episode.
        count: Number of classes of the split.
        confidence: Confidence level.

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
    accuracies: Accuracies, episode_videos: EpisodeVideos, confidence: float = 0.95
) -> Interval:
    """Mean and interval over episodes without common videos (arXiv 2409.02850).

    Only few episodes remain. The interval is therefore wider than `video_interval`, and its mean
    differs from the mean over all episodes. It only assumes that episodes without common videos are
    independent.
    """
    disjoint = accuracies[disjoint_episodes(episode_videos.videos)]
    estimate = Estimate(variance_of_mean(disjoint), len(disjoint) - 1, too_few_episodes(disjoint))
    return interval_of(float(disjoint.mean()), estimate, len(disjoint), confidence, DISJOINT)


def disjoint_episodes(videos: Int64[np.ndarray, "E M"]) -> Bool[np.ndarray, " E"]:
    """Select episodes that share no video with an earlier selected one.

    Example:
        >>> disjoint_episodes(np.array([[0, 1], [1, 2], [2, 3]])).tolist()
        [True, False, True]
    """
    used = np.zeros(videos.max() + 1, dtype=bool)
    selected = np.zeros(len(videos), dtype=bool)
    left = np.arange(len(videos))
    while left.size:
        selected[left[0]] = True
        used[videos[left[0]]] = True
        left = left[~used[videos[left]].any(axis=1)]
    return selected


def video_estimate(
    values: Accuracies, episode_videos: EpisodeVideos, noun: str = "accuracy"
) -> Estimate:
    """Variance of the mean over episodes if other videos of the same classes were sampled.

    Args:
        values: Accuracies of episodes, or differences of accuracies.
        episode_videos: Videos of the episodes.
        noun: Name of the values in messages.
    """
    dof = len(episode_videos.labels) - len(np.unique(episode_videos.labels))
    shared = _shared_variance(values, episode_videos.videos, episode_videos.labels)
    return _estimate(values, shared, dof, "videos", noun)


def video_variance(values: Accuracies, episode_videos: EpisodeVideos) -> float:
    """Variance of `video_estimate`; NaN if every episode takes all videos of a class."""
    shared = _shared_variance(values, episode_videos.videos, episode_videos.labels).variance
    return variance_of_mean(values) + max(0.0, shared)


@dataclass(frozen=True)
class _Shared:
    # Contribution of pairs of episodes to the variance of the mean, and the variance of this
    # estimate.
    variance: float
    noise: float


def _estimate(
    values: Accuracies, shared: _Shared, max_dof: int, sample: str, noun: str = "accuracy"
) -> Estimate:
    if math.isnan(shared.variance):
        reason = f"every episode takes all {sample} of a class, so nothing is known of others"
        return Estimate(math.nan, max_dof, reason)
    if reason := too_few_episodes(values, noun):
        return Estimate(math.nan, max_dof, reason)
    independent = variance_of_mean(values)
    variance = independent + max(0.0, shared.variance)
    # Satterthwaite: with few episodes the estimate is noisy, even if there are many videos.
    dof = 2 * variance**2 / (shared.noise + 2 * independent**2 / (len(values) - 1))
    if dof < MIN_DOF:
        reason = (
            f"{len(values):,} episodes do not tell the spread between {sample} from chance; "
            "test on more episodes"
        )
        return Estimate(math.nan, dof, reason)
    noisy = 1 / dof - 1 / max_dof > NEGLIGIBLE
    return Estimate(variance, dof if noisy else max_dof)


def _shared_variance(
    values: Accuracies, members: Int64[np.ndarray, "E M"], groups: Int64[np.ndarray, " V"]
) -> _Shared:
    """Contribution of pairs of episodes that share a member (a video or a class).

    Members are sampled within groups: videos within their class, or classes within one group.
    """
    group = groups[members]
    count = int(groups.max()) + 1
    size = np.bincount(groups, minlength=count)
    samples = np.bincount(group.ravel(), minlength=count)
    per_episode = samples / np.maximum(_episodes_per_group(group, count), 1)
    repeated = np.repeat(values, members.shape[1])
    means = np.bincount(group.ravel(), repeated, count) / np.maximum(samples, 1)
    residuals = repeated - means[group.ravel()]
    sums = np.bincount(members.ravel(), residuals, len(groups))
    # The squared sum of a member contains all pairs of its episodes, and each episode paired with
    # itself, which is subtracted. The last factor, as in the jackknife, corrects for the part of a
    # member's effect that is absorbed by the mean of its group and by the other members of an
    # episode.
    pairs = np.bincount(groups, sums**2, count)
    squares = np.bincount(group.ravel(), residuals**2, count)
    self_pairs = (1 - per_episode / np.maximum(size, 1)) * squares
    used = samples > 0
    unsampled = (size - per_episode)[used]
    if (unsampled <= 0).any():
        return _Shared(math.nan, math.nan)
    factor = (size * (size - 1))[used] / unsampled**2
    effects = (pairs - self_pairs)[used] * (size * (size - 1))[used] / unsampled**2
    # Sums over many episodes are nearly normal; the sum of their squares in a group is therefore
    # distributed like chi-square.
    noise = 2 * (factor * pairs[used]) ** 2 / (size[used] + 1)
    return _Shared(float(effects.sum()) / len(values) ** 2, float(noise.sum()) / len(values) ** 4)


def _episodes_per_group(
    group: Int64[np.ndarray, "E M"], count: int
) -> Int64[np.ndarray, " groups"]:
    ordered = np.sort(group, axis=1)
    first = np.ones_like(ordered, dtype=bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    return np.bincount(ordered[first], minlength=count)
