"""The episodes of one evaluation, as arrays of video indices."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from fsarbench.data.episode_sampler import EpisodeSampler


@dataclass(frozen=True)
class Plan:
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


def plan_episodes(sampler: EpisodeSampler, episodes: int) -> Plan:
    """The first `episodes` episodes of a sampler."""
    drawn = [sampler.episode(number) for number in range(episodes)]
    return Plan(
        classes=np.stack([episode.classes for episode in drawn]),
        support=np.stack([episode.support for episode in drawn]),
        query=np.stack([episode.query for episode in drawn]),
        labels=np.stack([episode.labels for episode in drawn]),
    )
