"""What comes out of testing one kind of episode."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
from fsarbench.evaluation.cache_policy import CachePolicy


@dataclass(frozen=True)
class EpisodeArrays:
    """Episodes 0 to E - 1 of a sampler; videos and classes are indices into the split.

    Attributes:
        classes: The classes of each episode.
        support: The support videos, class-major.
        query: The query videos.
        labels: The index in the episode of each query's class.
    """

    classes: Int64[np.ndarray, "episodes N"]
    support: Int64[np.ndarray, "episodes N K"]
    query: Int64[np.ndarray, "episodes Q"]
    labels: Int64[np.ndarray, "episodes Q"]

    def __len__(self) -> int:
        return len(self.labels)


def draw_episode_arrays(sampler: EpisodeSampler, episodes: int) -> EpisodeArrays:
    """The first `episodes` episodes of a sampler."""
    drawn = [sampler.episode(number) for number in range(episodes)]
    return EpisodeArrays(
        classes=np.stack([episode.classes for episode in drawn]),
        support=np.stack([episode.support for episode in drawn]),
        query=np.stack([episode.query for episode in drawn]),
        labels=np.stack([episode.labels for episode in drawn]),
    )


@dataclass(frozen=True)
class Evaluation:
    """What came out of testing.

    Attributes:
        task: The kind of episode.
        scores: The score of every query for every class of its episode.
        labels: The index in the episode of each query's class.
        classes: The classes of each episode, as indices into the split.
        support: The support videos of each episode, as indices into the split.
        query: The query videos, likewise.
        route: Whether features were cached, and why.
        encode_seconds: Decoding and encoding; on the route without a cache, everything. Of several
            kinds of episodes tested from one cache, the first has all of it.
        match_seconds: Prototypes and matching on cached features.
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
        """The class with the largest score; of equal ones the first."""
        return self.scores.argmax(axis=-1).astype(np.int64)

    @property
    def same_scores(self) -> float:
        """The share of queries whose scores are the same for all classes of their episode."""
        return float((self.scores.max(axis=-1) == self.scores.min(axis=-1)).mean())

    @property
    def accuracies(self) -> Float64[np.ndarray, " episodes"]:
        """The share of each episode's queries that were predicted right."""
        return (self.predictions == self.labels).mean(axis=1, dtype=np.float64)

    @property
    def accuracy(self) -> float:
        """The mean over episodes, 0 to 1."""
        return float(self.accuracies.mean())
