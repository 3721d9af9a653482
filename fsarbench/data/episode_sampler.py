"""Episode sampling: episode i is a pure function of the seed, the split and i."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Int64

from fsarbench.arguments.signatures import CheckedSettings
from fsarbench.arguments.value_rules import PositiveInt, WayInt
from fsarbench.errors import UserError
from fsarbench.runtime.random_stream import RandomStream
from fsarbench.video import Split


@dataclass(frozen=True, kw_only=True)
class EpisodeSettings(CheckedSettings):
    """Way, shot and number of queries of an episode.

    Attributes:
        way: Classes per episode (N).
        shot: Support videos per class (K).
        queries: Query videos per class at validation and test.
        train_queries: Query videos per class in training; None for the same number as at test.
    """

    section: ClassVar[str] = "episodes"

    way: WayInt = 5
    shot: PositiveInt = 1
    queries: PositiveInt = 1
    train_queries: PositiveInt | None = None

    def queries_of(self, split: str) -> int:
        """Number of query videos per class in a split."""
        if split == "train" and self.train_queries is not None:
            return self.train_queries
        return self.queries


@dataclass(frozen=True)
class EpisodeIndex:
    """Class and video indices of one episode, relative to its split.

    Attributes:
        classes: Classes of the episode.
        support: Support videos of each class.
        query: Query videos, class-major.
        labels: Class of each query as an index within the episode (0 to N - 1).
    """

    classes: Int64[np.ndarray, " N"]
    support: Int64[np.ndarray, "N K"]
    query: Int64[np.ndarray, " Q"]
    labels: Int64[np.ndarray, " Q"]


class EpisodeSampler:
    """Deterministic sampler of the episodes of a split.

    Episode i depends only on the seed, the name and content of the split, and i. It does not depend
    on the numpy version, on earlier episodes or on the process that draws it.

    Args:
        split: Classes and videos to sample from.
        settings: Way, shot and number of queries.
        seed: Sampling seed.

    Raises:
        UserError: The split has too few classes, or a class too few videos.
    """

    def __init__(self, split: Split, settings: EpisodeSettings, seed: int) -> None:
        self.split = split.name
        self.way = settings.way
        self.shot = settings.shot
        self.queries = settings.queries_of(split.name)
        self.seed = seed
        labels = np.array([video.label for video in split.videos], dtype=np.int64)
        self.videos = [np.flatnonzero(labels == label) for label in range(len(split.classes))]
        self._check(split, settings)

    def episode(self, number: int) -> EpisodeIndex:
        """Sample episode `number` (0 or more)."""
        rng = RandomStream("episode", self.seed, self.split, number)
        classes = _shuffled(np.arange(len(self.videos)), rng)[: self.way]
        need = self.shot + self.queries
        drawn = np.stack([_shuffled(self.videos[label], rng)[:need] for label in classes])
        return EpisodeIndex(
            classes=classes,
            support=drawn[:, : self.shot],
            query=drawn[:, self.shot :].reshape(-1),
            labels=np.repeat(np.arange(self.way), self.queries),
        )

    def _check(self, split: Split, settings: EpisodeSettings) -> None:
        if len(split.classes) < self.way:
            raise UserError(
                f"The {split.name} split has {len(split.classes)} classes, but episodes.way asks "
                f"for {self.way}: lower episodes.way, or add classes to the split."
            )
        need = self.shot + self.queries
        short = [
            f"'{name}' has {len(videos)}"
            for name, videos in zip(split.classes, self.videos, strict=True)
            if len(videos) < need
        ]
        if short:
            raise UserError(self._too_few(split, settings, short))

    def _too_few(self, split: Split, settings: EpisodeSettings, short: list[str]) -> str:
        separate = split.name == "train" and settings.train_queries is not None
        key = "episodes.train_queries" if separate else "episodes.queries"
        more = f", and {len(short) - 5} more classes" if len(short) > 5 else ""
        return (
            f"Too few videos in the {split.name} split: an episode takes "
            f"{self.shot + self.queries} of each class ({self.shot} support, episodes.shot, and "
            f"{self.queries} query, {key}), but the class {', '.join(short[:5])}{more}. "
            f"Lower episodes.shot or {key}, add videos, or leave the class out of the split."
        )


def _shuffled(items: Int64[np.ndarray, " M"], rng: RandomStream) -> Int64[np.ndarray, " M"]:
    # Sorting 64-bit keys, because the random stream of numpy's shuffle may change by version.
    return items[np.argsort(rng.keys(len(items)), kind="stable")]
