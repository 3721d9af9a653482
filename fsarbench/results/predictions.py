"""Episodes and predictions of a run, stored in `episodes.npz`."""

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
    EpisodeVideos,
    class_interval,
    disjoint_interval,
    video_interval,
)
from fsarbench.video import Split

EPISODES = "episodes.npz"


@dataclass(frozen=True)
class Predictions:
    """Videos, labels and predicted classes of each test episode.

    Attributes:
        classes: Classes of each episode, as indices into `class_names`.
        support: Support videos of each class, as indices into `video_ids`.
        query: Query videos, as indices into `video_ids`.
        labels: Class of each query, as an index within the episode.
        predictions: Predicted class of each query, as an index within the episode.
        video_labels: Class of each video of the split.
        video_ids: Id of each video of the split.
        class_names: Class names of the split.
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
        """Accuracy of each episode."""
        return (self.predictions == self.labels).mean(axis=1, dtype=np.float64)

    @property
    def episode_videos(self) -> EpisodeVideos:
        """Support and query videos of each episode."""
        support = self.support.reshape(len(self.support), -1)
        return EpisodeVideos(np.concatenate([support, self.query], axis=1), self.video_labels)

    def same_episodes(self, other: "Predictions") -> bool:
        """Whether classes, videos and labels of all episodes are equal."""
        names = (field.name for field in fields(self) if field.name != "predictions")
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)


def predictions_of(evaluation: Evaluation, split: Split) -> Predictions:
    """Predictions of an evaluation on a split."""
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
    """Confidence intervals over videos, classes and disjoint episodes."""
    accuracies, episode_videos = predictions.accuracies, predictions.episode_videos
    count = len(predictions.class_names)
    return {
        "videos": video_interval(accuracies, episode_videos, confidence),
        "classes": class_interval(accuracies, predictions.classes, count, confidence),
        "disjoint_episodes": disjoint_interval(accuracies, episode_videos, confidence),
    }


def episodes_file(task: EpisodeSettings, main: EpisodeSettings) -> str:
    """File name for the episodes of a test setting; the main setting has no suffix.

    Example:
        >>> episodes_file(EpisodeSettings(shot=5), EpisodeSettings())
        'episodes_5way_5shot.npz'
    """
    return EPISODES if task == main else f"episodes_{task.way}way_{task.shot}shot.npz"


def write_predictions(folder: Path, predictions: Predictions, name: str = EPISODES) -> None:
    """Write the file of episodes atomically; equal predictions give equal bytes."""
    content = io.BytesIO()
    arrays = {name: _compact(content) for name, content in asdict(predictions).items()}
    np.savez_compressed(content, allow_pickle=False, **arrays)
    write_bytes(folder / name, content.getvalue())


def read_predictions(folder: Path, name: str = EPISODES) -> Predictions | None:
    """Read a file of episodes from the folder of a run; None if it does not exist.

    Raises:
        UserError: The file is damaged or has another format.
    """
    path = folder / name
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            content: dict[str, Any] = {f.name: _wide(stored[f.name]) for f in fields(Predictions)}
    except (OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path} has no valid test episodes of fsarbench: {error}. Run the config again."
        ) from error
    if fault := _fault(content):
        raise UserError(
            f"{path} has no valid test episodes of fsarbench: {fault}. Run the config again."
        )
    return Predictions(**content)


def _fault(content: dict[str, Any]) -> str:
    """Description of the first array with a wrong shape or value; empty if there is none."""
    classes, support, queries = content["classes"], content["support"], content["query"].shape
    episodes, way = classes.shape if classes.ndim == 2 else (0, 0)
    if not episodes * way or support.ndim != 3 or len(queries) != 2:
        return "classes, support or query have another number of axes"
    videos, class_count = len(content["video_ids"]), len(content["class_names"])
    for name, shape, below in (
        ("classes", (episodes, way), class_count),
        ("support", (episodes, way, support.shape[2]), videos),
        ("query", (episodes, queries[1]), videos),
        ("labels", queries, way),
        ("predictions", queries, way),
        ("video_labels", (videos,), class_count),
    ):
        array = content[name]
        if array.shape != shape:
            return f"{name} has the shape {array.shape}, expected {shape}"
        if array.size and not (array.min() >= 0 and array.max() < below):
            return f"{name} has values outside 0 to {below - 1}"
    return ""


def _compact(content: NDArray | tuple[str, ...]) -> NDArray:
    array = np.asarray(content)
    return array.astype(np.min_scalar_type(array.max())) if array.dtype == np.int64 else array


def _wide(array: NDArray) -> NDArray | tuple[str, ...]:
    return tuple(array.tolist()) if array.dtype.kind == "U" else array.astype(np.int64)
