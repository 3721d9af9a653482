"""Episodes and predictions of a run, stored in `episodes.npz`.

The file of a run has the videos of every episode. The file of a submission has the predictions
only, and the seed from which the episodes are drawn again when it is read.
"""

import functools
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
from fsarbench.errors import UserError
from fsarbench.evaluation.episode_arrays import EpisodeArrays, Evaluation, draw_episode_arrays
from fsarbench.results.faults import FaultError
from fsarbench.results.safe_npz import LIMIT, read_arrays
from fsarbench.runtime.atomic_files import write_bytes
from fsarbench.statistics.intervals import Interval
from fsarbench.statistics.video_intervals import (
    EpisodeVideos,
    class_interval,
    disjoint_interval,
    video_interval,
)
from fsarbench.video import Split, Video

EPISODES = "episodes.npz"
# Most random keys, one per class and video of an episode, that a file of predictions may ask for:
# about a minute. 100,000 episodes of SSv2-Full take 0.2 billion.
MOST_KEYS = 10**9


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


def list_sha256(
    class_names: Sequence[str], video_labels: Sequence[int], video_ids: Sequence[str]
) -> str:
    """Hash of the test classes and test videos in their order, from which episodes are drawn."""
    content = [list(class_names), [int(label) for label in video_labels], list(video_ids)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def write_predictions(folder: Path, predictions: Predictions, name: str = EPISODES) -> None:
    """Write the file of episodes atomically; equal predictions give equal bytes."""
    write_bytes(folder / name, _npz(asdict(predictions)))


def read_predictions(folder: Path, name: str = EPISODES) -> Predictions | None:
    """Read a file of episodes from the folder of a run; None if it does not exist.

    Raises:
        UserError: The file is damaged or has another format.
    """
    path = folder / name
    if not path.is_file():
        return None
    try:
        return parse_predictions(path.read_bytes(), name)
    except (OSError, FaultError) as error:
        raise UserError(
            f"{path} has no valid test episodes of fsarbench: {error}. Run the config again."
        ) from error


def parse_predictions(content: bytes, file: object, limit: int = LIMIT) -> Predictions:
    """Predictions from the content of a file of episodes, of a run or of a submission.

    Args:
        content: The file.
        file: Its name, for messages.
        limit: Most bytes of its arrays.

    Raises:
        FaultError: The file is damaged, is too large, has other arrays, or its episodes are not
            those of its seed.
    """
    arrays = read_arrays(content, file, limit)
    compact = "draw" in arrays
    names = COMPACT if compact else [field.name for field in fields(Predictions)]
    if missing := [name for name in names if name not in arrays]:
        raise FaultError(file, "", f"the arrays {', '.join(names)}", f"none called {missing[0]}")
    values = {name: _wide(arrays[name], name, file) for name in names}
    if compact:
        values = _with_episodes(values, file)
    if fault := _fault(values):
        raise FaultError(file, "", "arrays that fit together", fault)
    return Predictions(**values)


@dataclass(frozen=True)
class Draw:
    """What the episodes of a list of videos are drawn from.

    Attributes:
        seed: Seed of the sampler.
        way: Classes per episode.
        shot: Support videos per class.
        queries: Query videos per class.
    """

    seed: int
    way: int
    shot: int
    queries: int


COMPACT = ["predictions", "video_labels", "video_ids", "class_names", "draw", "episodes_sha256"]


def compact_predictions(predictions: Predictions, draw: Draw) -> bytes:
    """File with the predictions and the seed of the episodes, without the videos of each episode.

    Args:
        predictions: Predictions on the episodes of `draw`.
        draw: Seed, way, shot and queries of the episodes.
    """
    episodes = {name: getattr(predictions, name) for name in EPISODE_ARRAYS}
    kept = {name: getattr(predictions, name) for name in COMPACT[:4]}
    values = np.array([draw.seed, draw.way, draw.shot, draw.queries], dtype=np.int64)
    return _npz({**kept, "draw": values, "episodes_sha256": [_episodes_sha256(episodes)]})


def drawn_again(predictions: Predictions, draw: Draw) -> EpisodeArrays:
    """Episodes of the sampler for the test list of some predictions.

    Raises:
        UserError: The list cannot fill an episode.
    """
    labels = predictions.video_labels.tobytes()
    return _drawn(labels, len(predictions.class_names), draw, len(predictions.labels))[0]


TEXTS = ("video_ids", "class_names", "episodes_sha256")
EPISODE_ARRAYS = ("classes", "support", "query", "labels")


def _with_episodes(values: dict[str, Any], file: object) -> dict[str, Any]:
    """Values of a file without episodes, with the episodes that its seed gives."""
    predictions, labels, classes = (
        values[k] for k in ("predictions", "video_labels", "class_names")
    )
    if values["draw"].shape != (4,) or predictions.ndim != 2 or labels.ndim != 1:
        raise FaultError(
            file, "draw", "4 numbers, and predictions with 2 axes", values["draw"].shape
        )
    draw = Draw(*(int(number) for number in values["draw"]))
    sizes = np.bincount(labels.clip(0), minlength=1)
    in_range = labels.size and labels.min() >= 0 and labels.max() < len(classes)
    if not in_range or draw.seed < 0 or not 0 < draw.way <= len(classes):
        raise FaultError(file, "draw", "a seed, and a way of at most the number of classes", draw)
    if min(draw.shot, draw.queries) < 1 or predictions.shape[1] != draw.way * draw.queries:
        raise FaultError(file, "predictions", f"{draw.way * draw.queries} per episode", draw)
    keys = len(predictions) * (len(classes) + draw.way * int(sizes.max()))
    if not 0 < keys <= MOST_KEYS:
        raise FaultError(
            file, "predictions", f"1 to {MOST_KEYS:,} keys of the sampler", f"{keys:,}"
        )
    try:
        arrays, digest = _drawn(labels.tobytes(), len(classes), draw, len(predictions))
    except UserError as error:
        raise FaultError(file, "draw", "episodes that the test list can fill", error) from None
    recorded = values["episodes_sha256"]
    if recorded != (digest,):
        expected = f"{digest}, the episodes of seed {draw.seed}"
        raise FaultError(file, "episodes_sha256", expected, " ".join(recorded))
    kept = {name: values[name] for name in COMPACT[:4]}
    return {**{name: getattr(arrays, name) for name in EPISODE_ARRAYS}, **kept}


@functools.lru_cache(maxsize=16)
def _drawn(labels: bytes, classes: int, draw: Draw, episodes: int) -> tuple[EpisodeArrays, str]:
    """Episodes of a test list and their hash; the results of one data set share them."""
    names = tuple(str(number) for number in range(classes))
    nowhere = Path()
    videos = tuple(Video("", nowhere, int(label)) for label in np.frombuffer(labels, np.int64))
    settings = EpisodeSettings(way=draw.way, shot=draw.shot, queries=draw.queries)
    sampler = EpisodeSampler(Split("test", names, names, videos), settings, draw.seed)
    arrays = draw_episode_arrays(sampler, episodes)
    return arrays, _episodes_sha256({name: getattr(arrays, name) for name in EPISODE_ARRAYS})


def _episodes_sha256(episodes: Mapping[str, NDArray]) -> str:
    digest = hashlib.sha256()
    for name in EPISODE_ARRAYS:
        digest.update(episodes[name].astype("<i8").tobytes())
    return digest.hexdigest()


def _npz(arrays: Mapping[str, Any]) -> bytes:
    content = io.BytesIO()
    compact = {name: _compact(array) for name, array in arrays.items()}
    np.savez_compressed(content, allow_pickle=False, **compact)
    return content.getvalue()


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


def _compact(content: NDArray | Sequence[str]) -> NDArray:
    array = np.asarray(content)
    return array.astype(np.min_scalar_type(array.max())) if array.dtype == np.int64 else array


def _wide(array: NDArray, name: str, file: object) -> Any:
    """Texts as a tuple, numbers as 64-bit integers.

    Raises:
        FaultError: The array has numbers in place of texts, or texts in place of numbers.
    """
    if (array.dtype.kind == "U") != (name in TEXTS) or (name in TEXTS and array.ndim != 1):
        expected = "a list of texts" if name in TEXTS else "an array of integers"
        raise FaultError(file, name, expected, f"{array.dtype} of the shape {array.shape}")
    try:
        return tuple(array.tolist()) if name in TEXTS else array.astype(np.int64)
    except ValueError as error:  # letters that do not exist
        raise FaultError(file, name, "a list of texts", error) from None
