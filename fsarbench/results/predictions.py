"""Every test episode of a run, in one small file that can be read alone: `episodes.npz`."""

import io
import zipfile
import zlib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.errors import UserError
from fsarbench.evaluation.episode_arrays import Evaluation
from fsarbench.runtime.atomic_files import write_bytes
from fsarbench.statistics.intervals import Interval
from fsarbench.statistics.video_intervals import (
    DrawnVideos,
    class_interval,
    disjoint_interval,
    video_interval,
)
from fsarbench.video import Split

EPISODES = "episodes.npz"


@dataclass(frozen=True)
class Predictions:
    """What was asked and answered in each test episode.

    Attributes:
        classes: The classes of each episode, as indices into `class_names`.
        support: The support videos, class-major, as indices into `video_ids`.
        query: The query videos, likewise.
        labels: The index in the episode of each query's class.
        predictions: The index in the episode of the class that was predicted.
        video_labels: The class of each video of the split.
        video_ids: The name of each video of the split.
        class_names: The classes of the split.
    """

    classes: Int64[np.ndarray, "E N"]
    support: Int64[np.ndarray, "E N K"]
    query: Int64[np.ndarray, "E Q"]
    labels: Int64[np.ndarray, "E Q"]
    predictions: Int64[np.ndarray, "E Q"]
    video_labels: Int64[np.ndarray, " V"]
    video_ids: tuple[str, ...]
    class_names: tuple[str, ...]

    @property
    def accuracies(self) -> Float64[np.ndarray, " E"]:
        """The share of each episode's queries that were predicted right."""
        return (self.predictions == self.labels).mean(axis=1, dtype=np.float64)

    @property
    def drawn(self) -> DrawnVideos:
        """The videos of each episode, support and query alike."""
        support = self.support.reshape(len(self.support), -1)
        return DrawnVideos(np.concatenate([support, self.query], axis=1), self.video_labels)

    def same_episodes(self, other: "Predictions") -> bool:
        """Whether the same questions were asked, of the same videos."""
        names = (field.name for field in fields(self) if field.name != "predictions")
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)


def predictions_of(evaluation: Evaluation, split: Split) -> Predictions:
    """The episodes of an evaluation on a split."""
    return Predictions(
        classes=evaluation.classes,
        support=evaluation.support,
        query=evaluation.query,
        labels=evaluation.labels,
        predictions=evaluation.predictions,
        video_labels=np.array([video.label for video in split.videos], dtype=np.int64),
        video_ids=tuple(video.id for video in split.videos),
        class_names=split.classes,
    )


def intervals(predictions: Predictions, confidence: float) -> dict[str, Interval]:
    """The intervals that count something else than episodes as the sample, by name."""
    accuracies, drawn = predictions.accuracies, predictions.drawn
    count = len(predictions.class_names)
    return {
        "videos": video_interval(accuracies, drawn, confidence),
        "classes": class_interval(accuracies, predictions.classes, count, confidence),
        "disjoint_episodes": disjoint_interval(accuracies, drawn, confidence),
    }


def episodes_file(task: EpisodeSettings, own: EpisodeSettings) -> str:
    """The name of the file that keeps the episodes of a kind; those of a run's own have no ending.

    Example:
        >>> episodes_file(EpisodeSettings(shot=5), EpisodeSettings())
        'episodes_5way_5shot.npz'
    """
    return EPISODES if task == own else f"episodes_{task.way}way_{task.shot}shot.npz"


def write_predictions(folder: Path, predictions: Predictions, name: str = EPISODES) -> None:
    """Writes a file of episodes, whole or not at all; equal episodes give equal bytes."""
    content = io.BytesIO()
    arrays = {name: _compact(content) for name, content in asdict(predictions).items()}
    np.savez_compressed(content, allow_pickle=False, **arrays)
    write_bytes(folder / name, content.getvalue())


def read_predictions(folder: Path, name: str = EPISODES) -> Predictions | None:
    """The episodes of a run from a file in its folder; None where the run wrote none.

    Raises:
        UserError: The file is damaged, or was written by something else.
    """
    path = folder / name
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            content: dict[str, Any] = {f.name: _wide(stored[f.name]) for f in fields(Predictions)}
    except (OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path} holds no test episodes of fsarbench: {error}. Run its config again."
        ) from error
    if fault := _inconsistent(content):
        raise UserError(
            f"{path} holds no test episodes of fsarbench: {fault}. Run its config again."
        )
    return Predictions(**content)


def _inconsistent(content: dict[str, Any]) -> str:
    """The first array that is not as the others say, in words; empty where there is none."""
    given, support, queries = content["classes"], content["support"], content["query"].shape
    episodes, way = given.shape if given.ndim == 2 else (0, 0)
    if not episodes * way or support.ndim != 3 or len(queries) != 2:
        return "classes, support or query have another number of axes"
    videos, classes = len(content["video_ids"]), len(content["class_names"])
    for name, shape, below in (
        ("classes", (episodes, way), classes),
        ("support", (episodes, way, support.shape[2]), videos),
        ("query", (episodes, queries[1]), videos),
        ("labels", queries, way),
        ("predictions", queries, way),
        ("video_labels", (videos,), classes),
    ):
        array = content[name]
        if array.shape != shape:
            return f"{name} has the shape {array.shape} where {shape} was expected"
        if array.size and not (array.min() >= 0 and array.max() < below):
            return f"{name} has values outside 0 to {below - 1}"
    return ""


def _compact(content: NDArray | tuple[str, ...]) -> NDArray:
    array = np.asarray(content)
    return array.astype(np.min_scalar_type(array.max())) if array.dtype == np.int64 else array


def _wide(array: NDArray) -> NDArray | tuple[str, ...]:
    return tuple(array.tolist()) if array.dtype.kind == "U" else array.astype(np.int64)
