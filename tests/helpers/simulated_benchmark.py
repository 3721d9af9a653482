"""Episodes of known truth: each video has an effect of its own on what it takes part in."""

from dataclasses import dataclass

import numpy as np

from fsarbench.statistics.video_intervals import DrawnVideos

Generator = np.random.Generator


def generator(seed: int) -> Generator:
    return np.random.Generator(np.random.PCG64(seed))


@dataclass(frozen=True)
class Field:
    """How many classes, videos a class, ways, shots and queries."""

    classes: int = 12
    videos: int = 20
    way: int = 5
    shot: int = 1
    queries: int = 1

    def draw(self, rng: Generator, episodes: int) -> tuple[np.ndarray, np.ndarray]:
        """Classes `episodes, way` and videos `episodes, way, shot + queries`."""
        members = self.shot + self.queries
        classes = np.argsort(rng.random((episodes, self.classes)), axis=1)[:, : self.way]
        shape = (episodes, self.way, self.videos)
        inside = np.argsort(rng.random(shape), axis=2)[..., :members]
        return classes, classes[..., None] * self.videos + inside

    def drawn(self, videos: np.ndarray) -> DrawnVideos:
        labels = np.repeat(np.arange(self.classes), self.videos)
        return DrawnVideos(videos.reshape(len(videos), -1), labels)


def accuracies(features: np.ndarray, videos: np.ndarray, field: Field) -> np.ndarray:
    """Nearest prototypes: a classifier whose accuracy is no sum of effects of videos."""
    clips = features[videos]
    prototypes = clips[:, :, : field.shot].mean(axis=2)
    query = clips[:, :, field.shot :].reshape(len(videos), -1, features.shape[-1])
    predicted = ((query[:, :, None] - prototypes[:, None]) ** 2).sum(axis=-1).argmin(axis=-1)
    return (predicted == np.repeat(np.arange(field.way), field.queries)).mean(axis=1)


def centres(rng: Generator, field: Field) -> np.ndarray:
    return 1.2 * rng.normal(size=(field.classes, 4))


def features(rng: Generator, centres: np.ndarray, field: Field) -> np.ndarray:
    around = rng.normal(size=(field.classes, field.videos, 4))
    return (centres[:, None] + around).reshape(-1, 4)


def truth(rng: Generator, centres: np.ndarray, field: Field, episodes: int = 40_000) -> float:
    """The accuracy on videos that are never used twice."""
    classes = np.argsort(rng.random((episodes, field.classes)), axis=1)[:, : field.way]
    shape = (episodes, field.way, field.shot + field.queries, 4)
    fresh = centres[classes][:, :, None] + rng.normal(size=shape)
    videos = np.arange(fresh[..., 0].size).reshape(fresh.shape[:-1])
    return float(accuracies(fresh.reshape(-1, 4), videos, field).mean())
