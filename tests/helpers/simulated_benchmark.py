"""Simulated benchmark with known true accuracy."""

from dataclasses import dataclass

import numpy as np

from fsarbench.statistics.video_intervals import EpisodeVideos

Generator = np.random.Generator


def generator(seed: int) -> Generator:
    return np.random.Generator(np.random.PCG64(seed))


@dataclass(frozen=True)
class Benchmark:
    """Number of classes, videos per class, ways, shots and queries."""

    classes: int = 12
    videos: int = 20
    way: int = 5
    shot: int = 1
    queries: int = 1

    def draw(self, rng: Generator, episodes: int) -> tuple[np.ndarray, np.ndarray]:
        """Sample the classes `episodes, way` and videos `episodes, way, shot + queries`."""
        members = self.shot + self.queries
        classes = np.argsort(rng.random((episodes, self.classes)), axis=1)[:, : self.way]
        shape = (episodes, self.way, self.videos)
        within_class = np.argsort(rng.random(shape), axis=2)[..., :members]
        return classes, classes[..., None] * self.videos + within_class

    def videos_of(self, videos: np.ndarray) -> EpisodeVideos:
        labels = np.repeat(np.arange(self.classes), self.videos)
        return EpisodeVideos(videos.reshape(len(videos), -1), labels)


def accuracies(features: np.ndarray, videos: np.ndarray, benchmark: Benchmark) -> np.ndarray:
    """Accuracy of a nearest-prototype classifier in each episode."""
    clips = features[videos]
    prototypes = clips[:, :, : benchmark.shot].mean(axis=2)
    query = clips[:, :, benchmark.shot :].reshape(len(videos), -1, features.shape[-1])
    predicted = ((query[:, :, None] - prototypes[:, None]) ** 2).sum(axis=-1).argmin(axis=-1)
    return (predicted == np.repeat(np.arange(benchmark.way), benchmark.queries)).mean(axis=1)


def centres(rng: Generator, benchmark: Benchmark) -> np.ndarray:
    return 1.2 * rng.normal(size=(benchmark.classes, 4))


def features(rng: Generator, centres: np.ndarray, benchmark: Benchmark) -> np.ndarray:
    around = rng.normal(size=(benchmark.classes, benchmark.videos, 4))
    return (centres[:, None] + around).reshape(-1, 4)


def truth(
    rng: Generator, centres: np.ndarray, benchmark: Benchmark, episodes: int = 40_000
) -> float:
    """True accuracy, over episodes whose videos are all different."""
    classes = np.argsort(rng.random((episodes, benchmark.classes)), axis=1)[:, : benchmark.way]
    shape = (episodes, benchmark.way, benchmark.shot + benchmark.queries, 4)
    clips = centres[classes][:, :, None] + rng.normal(size=shape)
    videos = np.arange(clips[..., 0].size).reshape(clips.shape[:-1])
    return float(accuracies(clips.reshape(-1, 4), videos, benchmark).mean())
