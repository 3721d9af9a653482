"""Simulated test results with known true accuracy: classes, videos and seeds have random effects.

A query is answered correctly if a sum of normal effects is positive. The expected accuracy then has
a closed form, whatever is drawn anew: videos, classes, or training seeds.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
from fsarbench.statistics.video_intervals import EpisodeVideos
from fsarbench.video import Split, Video

Array = NDArray[np.float64]
Generator = np.random.Generator


@dataclass(frozen=True)
class Effects:
    """Standard deviations of the effects, in units of the noise of a single answer.

    Attributes:
        own: Of a class on its own queries.
        rival: Of a class on the queries of the other classes of an episode.
        query: Of a video as a query.
        support: Of a video as support, for its class and against the others.
        method: Of a method on a video, apart from what all methods share.
        seed: Of a training seed on all answers.
        seed_class: Of a training seed on a class.
        seed_video: Of a training seed on a video.
    """

    own: float = 0.5
    rival: float = 0.4
    query: float = 0.6
    support: float = 0.5
    method: float = 0.3
    seed: float = 0.1
    seed_class: float = 0.1
    seed_video: float = 0.2


EFFECTS = Effects()


@dataclass(frozen=True)
class Episodes:
    """Episodes by numbers: classes `E N`, support videos `E N K`, query videos `E N Q`."""

    classes: NDArray[np.int64]
    support: NDArray[np.int64]
    query: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.classes)

    def __getitem__(self, which: slice | NDArray[np.int64]) -> "Episodes":
        return Episodes(self.classes[which], self.support[which], self.query[which])


@dataclass(frozen=True)
class Population:
    """Test classes, videos per class, and the setting of episodes."""

    classes: int
    videos: int
    way: int
    shot: int = 1
    queries: int = 1

    @property
    def name(self) -> str:
        """The population in words."""
        return f"{self.classes} x {self.videos}, {self.way}-way"

    @property
    def labels(self) -> NDArray[np.int64]:
        """The class of each video."""
        return np.repeat(np.arange(self.classes), self.videos)

    def episodes(self, count: int, seed: int = 0) -> Episodes:
        """Draw episodes with the library's own sampler."""
        names = tuple(f"class {number}" for number in range(self.classes))
        videos = tuple(Video(f"v{i}", Path(f"v{i}"), int(c)) for i, c in enumerate(self.labels))
        settings = EpisodeSettings(way=self.way, shot=self.shot, queries=self.queries)
        sampler = EpisodeSampler(Split("test", names, names, videos), settings, seed)
        drawn = [sampler.episode(number) for number in range(count)]
        query = np.stack([episode.query for episode in drawn])
        return Episodes(
            np.stack([episode.classes for episode in drawn]),
            np.stack([episode.support for episode in drawn]),
            query.reshape(count, self.way, self.queries),
        )

    def drawn(self, episodes: Episodes) -> EpisodeVideos:
        """The videos of episodes, as the library's intervals take them."""
        members = np.concatenate([episodes.support, episodes.query], axis=2)
        return EpisodeVideos(members.reshape(len(episodes), -1), self.labels)


@dataclass(frozen=True)
class Model:
    """A method, or one training of it: its effects of classes and of videos as queries."""

    mean: float
    own: Array
    rival: Array
    query: Array
    support: Array

    def trained(self, rng: Generator, effects: Effects = EFFECTS) -> "Model":
        """Train with another seed."""
        shift = effects.seed * rng.normal() + effects.seed_class * rng.normal(size=self.own.shape)
        return replace(self, own=self.own + shift).on_videos(rng, effects.seed_video)

    def on_videos(self, rng: Generator, spread: float) -> "Model":
        """Add an effect to each video."""
        return replace(self, query=self.query + spread * rng.normal(size=self.query.shape))

    def margins(self, episodes: Episodes) -> Array:
        """The sum of effects of each query, `E N Q`."""
        support = self.support[episodes.support].mean(axis=2)
        against = self.rival[episodes.classes] + support
        others = (against.sum(axis=1, keepdims=True) - against) / (against.shape[1] - 1)
        classes = self.mean + self.own[episodes.classes] + support - others
        return classes[..., None] + self.query[episodes.query]

    def accuracies(self, episodes: Episodes, rng: Generator) -> Array:
        """The accuracy of each episode."""
        margins = self.margins(episodes)
        return (margins + rng.normal(size=margins.shape) > 0).mean(axis=(1, 2))

    def expected(self, episodes: Episodes, spread: float = 0.0) -> float:
        """The expected accuracy on these episodes, with one more random effect of this spread."""
        return float(stats.norm.cdf(self.margins(episodes) / np.sqrt(1 + spread**2)).mean())


def make_model(
    rng: Generator, population: Population, mean: float, effects: Effects = EFFECTS
) -> Model:
    """A model of new classes and new videos."""
    count = population.classes * population.videos
    sizes = (population.classes, population.classes, count, count)
    spreads = (effects.own, effects.rival, effects.query, effects.support)
    drawn = [s * rng.normal(size=n) for s, n in zip(spreads, sizes, strict=True)]
    return Model(mean, *drawn)


def new_videos(
    rng: Generator, model: Model, effects: Effects = EFFECTS, spread: float = 0.0
) -> Model:
    """The same classes and training with other videos.

    Args:
        rng: The source of chance.
        model: The model.
        effects: The spreads.
        spread: Of further effects of videos, such as those of a method or of a training seed.
    """
    size = model.query.shape
    query = np.hypot(effects.query, spread) * rng.normal(size=size)
    return replace(model, query=query, support=effects.support * rng.normal(size=size))


def over_videos(
    model: Model, population: Population, spread: float = 0.0, effects: Effects = EFFECTS
) -> float:
    """The expected accuracy over new videos of the same classes; the arguments of `new_videos`."""
    classes = _class_sets(population)
    rival = model.rival[classes]
    others = (rival.sum(axis=1, keepdims=True) - rival) / (population.way - 1)
    variance = 1 + effects.query**2 + spread**2 + _support(population, effects)
    margins = model.mean + model.own[classes] - others
    return float(stats.norm.cdf(margins / np.sqrt(variance)).mean())


def over_classes(mean: float, population: Population, effects: Effects = EFFECTS) -> float:
    """The expected accuracy over new classes with new videos."""
    classes = effects.own**2 + effects.rival**2 / (population.way - 1)
    variance = 1 + effects.query**2 + _support(population, effects) + classes
    return float(stats.norm.cdf(mean / np.sqrt(variance)))


def _support(population: Population, effects: Effects) -> float:
    return effects.support**2 / population.shot * (1 + 1 / (population.way - 1))


@lru_cache
def _class_sets(population: Population, count: int = 20_000) -> NDArray[np.int64]:
    if population.way == population.classes:
        return np.arange(population.way)[None]
    keys = np.random.default_rng(0).random((count, population.classes))
    return np.argsort(keys, axis=1)[:, : population.way]
