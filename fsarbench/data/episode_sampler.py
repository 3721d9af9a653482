"""Episode sampling: episode i is a pure function of the seed, the split and i."""

from dataclasses import dataclass, replace
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
        train_way: Classes per training episode; None for the same number as at test.
        train_shot: Support videos per class in training; None for the same number as at test.
            CLIP-FSAR's code trains with one for all its results.
        train_queries: Query videos per class in training; None for the same number as at test.
    """

    section: ClassVar[str] = "episodes"

    way: WayInt = 5
    shot: PositiveInt = 1
    queries: PositiveInt = 1
    train_way: WayInt | None = None
    train_shot: PositiveInt | None = None
    train_queries: PositiveInt | None = None

    def of(self, split: str) -> "EpisodeSettings":
        """Way, shot and queries of the episodes of one split.

        Example:
            >>> settings = EpisodeSettings(shot=5, train_shot=1)
            >>> settings.of("train").shot, settings.of("test").shot
            (1, 5)
        """
        own = {name: self.key(name, split) for name in ("way", "shot", "queries")}
        return replace(self, **{name: getattr(self, key) for name, key in own.items()})

    def key(self, name: str, split: str) -> str:
        """Field that holds way, shot or queries of a split, such as `train_shot`."""
        separate = f"train_{name}"
        return separate if split == "train" and getattr(self, separate) is not None else name


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
        own = settings.of(split.name)
        self.way, self.shot, self.queries = own.way, own.shot, own.queries
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

    def episodes(
        self, numbers: range
    ) -> tuple[Int64[np.ndarray, "E N"], Int64[np.ndarray, "E N K"], Int64[np.ndarray, "E Q"]]:
        """Classes, support and query videos of several episodes, equal to `episode` for each.

        All episodes are sorted at once, which is several times faster.

        Args:
            numbers: Numbers of the episodes.
        """
        sizes = np.array([len(videos) for videos in self.videos])
        count, longest, need = len(sizes), int(sizes.max()), self.shot + self.queries
        table = np.zeros((count, longest), dtype=np.int64)
        for row, videos in zip(table, self.videos, strict=True):
            row[: len(videos)] = videos
        # Keys of the classes, then of the videos of each drawn class, as `episode` takes them.
        most = count + int(np.sort(sizes)[-self.way :].sum())
        streams = (RandomStream("episode", self.seed, self.split, number) for number in numbers)
        keys = np.stack([stream.keys(most) for stream in streams])
        classes = np.argsort(keys[:, :count], axis=1, kind="stable")[:, : self.way]
        starts = count + np.cumsum(sizes[classes], axis=1) - sizes[classes]
        drawn = np.empty((len(keys), self.way, need), dtype=np.int64)
        for place in range(self.way):
            label, steps = classes[:, place, None], np.arange(longest)
            columns = np.minimum(starts[:, place, None] + steps, most - 1)
            own = np.take_along_axis(keys, columns, axis=1)
            # Places after the last video of a class come last: sorting keeps the order of ties.
            own[steps >= sizes[label]] = np.iinfo(np.uint64).max
            drawn[:, place] = table[label, np.argsort(own, axis=1, kind="stable")[:, :need]]
        return classes, drawn[..., : self.shot], drawn[..., self.shot :].reshape(len(keys), -1)

    def _check(self, split: Split, settings: EpisodeSettings) -> None:
        if len(split.classes) < self.way:
            key = f"episodes.{settings.key('way', split.name)}"
            raise UserError(
                f"The {split.name} split has {len(split.classes)} classes, but {key} asks for "
                f"{self.way}: lower {key}, or add classes to the split."
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
        shot, queries = (f"episodes.{settings.key(n, split.name)}" for n in ("shot", "queries"))
        more = f", and {len(short) - 5} more classes" if len(short) > 5 else ""
        return (
            f"Too few videos in the {split.name} split: an episode takes "
            f"{self.shot + self.queries} of each class ({self.shot} support, {shot}, and "
            f"{self.queries} query, {queries}), but the class {', '.join(short[:5])}{more}. "
            f"Lower {shot} or {queries}, add videos, or leave the class out of the split."
        )


def _shuffled(items: Int64[np.ndarray, " M"], rng: RandomStream) -> Int64[np.ndarray, " M"]:
    # Sorting 64-bit keys, because the random stream of numpy's shuffle may change by version.
    return items[np.argsort(rng.keys(len(items)), kind="stable")]
