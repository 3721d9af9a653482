"""Drawn episodes as index arrays, and the evaluation result of one way/shot setting."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
from fsarbench.evaluation.cache_policy import CachePolicy

# Episodes drawn at once; their random keys take a few MB.
BLOCK = 500


@dataclass(frozen=True)
class EpisodeArrays:
    """Index arrays of episodes 0 to E - 1 of a sampler; indices refer to the split.

    Attributes:
        classes: Classes of each episode.
        support: Support videos of each episode, class-major.
        query: Query videos of each episode.
        labels: Class of each query as an index within its episode, 0 to N - 1.
    """

    classes: Int64[np.ndarray, "episodes N"]
    support: Int64[np.ndarray, "episodes N K"]
    query: Int64[np.ndarray, "episodes Q"]
    labels: Int64[np.ndarray, "episodes Q"]

    def __len__(self) -> int:
        return len(self.labels)


def draw_episode_arrays(sampler: EpisodeSampler, episodes: int) -> EpisodeArrays:
    """Draw the first `episodes` episodes of a sampler."""
    starts = range(0, episodes, BLOCK)
    blocks = [sampler.episodes(range(start, min(start + BLOCK, episodes))) for start in starts]
    classes, support, query = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    labels = np.repeat(np.arange(sampler.way), sampler.queries)
    return EpisodeArrays(classes, support, query, np.tile(labels, (episodes, 1)))


@dataclass(frozen=True)
class Evaluation:
    """Evaluation result of one way/shot setting.

    Attributes:
        task: Way, shot and queries per class.
        scores: Score of every query for every class of its episode.
        labels: Class of each query as an index within its episode, 0 to N - 1.
        classes: Classes of each episode, as indices into the split.
        support: Support videos of each episode, as indices into the split.
        query: Query videos of each episode, as indices into the split.
        route: Cache policy: whether features were cached, and why.
        encode_seconds: Seconds of decoding and encoding; the whole time in uncached evaluation. If
            several settings share one cache, the first one holds all of it.
        match_seconds: Seconds of prototype building and matching on cached features.
    """

    task: EpisodeSettings
    scores: Float32[np.ndarray, "episodes Q N"]
    labels: Int64[np.ndarray, "episodes Q"]
    classes: Int64[np.ndarray, "episodes N"]
    support: Int64[np.ndarray, "episodes N K"]
    query: Int64[np.ndarray, "episodes Q"]
    route: CachePolicy
    encode_seconds: float
    match_seconds: float

    @property
    def predictions(self) -> Int64[np.ndarray, "episodes Q"]:
        """Index of the class with the largest score; the first one in a tie."""
        return self.scores.argmax(axis=-1).astype(np.int64)

    @property
    def same_scores(self) -> float:
        """Share of queries with equal scores for all classes of their episode, 0 to 1."""
        return float((self.scores.max(axis=-1) == self.scores.min(axis=-1)).mean())

    @property
    def accuracies(self) -> Float64[np.ndarray, " episodes"]:
        """Accuracy of every episode, 0 to 1."""
        return (self.predictions == self.labels).mean(axis=1, dtype=np.float64)

    @property
    def accuracy(self) -> float:
        """Mean accuracy over episodes, 0 to 1."""
        return float(self.accuracies.mean())
