from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fsarbench.data.data_module import DataModule
from fsarbench.errors import UserError
from fsarbench.evaluation.evaluate import evaluate
from fsarbench.model import FewShotModel
from fsarbench.results.predictions import (
    Predictions,
    predictions_of,
    read_predictions,
    write_predictions,
)
from fsarbench.settings import EvaluateSettings


@pytest.fixture
def predictions(build: Callable[..., FewShotModel], data_module: DataModule) -> Predictions:
    settings = EvaluateSettings(episodes=40, workers=0)
    return predictions_of(
        evaluate(build(), data_module, "test", settings), data_module.splits["test"]
    )


def test_predictions_are_read_as_they_were_written(
    predictions: Predictions, tmp_path: Path
) -> None:
    write_predictions(tmp_path, predictions)
    read = read_predictions(tmp_path)
    assert read is not None
    assert read.same_episodes(predictions)
    np.testing.assert_array_equal(read.predictions, predictions.predictions)
    assert read.predictions.dtype == np.int64


def test_equal_predictions_give_equal_bytes(predictions: Predictions, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_predictions(tmp_path / name, predictions)
    first, second = ((tmp_path / name / "episodes.npz").read_bytes() for name in ("a", "b"))
    assert first == second


def test_the_file_is_small_and_needs_no_pickle(predictions: Predictions, tmp_path: Path) -> None:
    write_predictions(tmp_path, predictions)
    with np.load(tmp_path / "episodes.npz", allow_pickle=False) as stored:
        assert stored["support"].dtype == np.uint8
        # The documentation describes every array.
        page = (Path(__file__).parents[3] / "docs" / "result-schema.md").read_text()
        assert all(f"`{name}`" in page for name in stored.files)


def test_indices_refer_to_videos_and_classes_of_the_split(
    predictions: Predictions, data_module: DataModule
) -> None:
    split = data_module.splits["test"]
    video = split.videos[predictions.query[3, 0]]
    label = predictions.classes[3, predictions.labels[3, 0]]
    assert predictions.video_ids[predictions.query[3, 0]] == video.id
    assert predictions.class_names[label] == split.classes[video.label]
    labels = predictions.video_labels[predictions.support]
    np.testing.assert_array_equal(
        labels, np.broadcast_to(predictions.classes[..., None], labels.shape)
    )


def test_the_videos_of_an_episode_are_distinct(
    predictions: Predictions, data_module: DataModule
) -> None:
    settings = data_module.episodes
    videos = predictions.episode_videos.videos
    assert videos.shape == (40, settings.way * (settings.shot + settings.queries))
    assert all(len(set(episode)) == len(episode) for episode in videos.tolist())


def test_same_episodes_compares_everything_but_the_predictions(predictions: Predictions) -> None:
    query = predictions.query.copy()
    query[0, 0] += 1
    assert not predictions.same_episodes(replace(predictions, query=query))
    assert not predictions.same_episodes(
        replace(predictions, video_ids=predictions.video_ids[::-1])
    )
    assert predictions.same_episodes(replace(predictions, predictions=1 - predictions.predictions))


def test_a_run_without_the_file_has_no_predictions(tmp_path: Path) -> None:
    assert read_predictions(tmp_path) is None


@pytest.mark.parametrize("name", ["classes", "support", "query", "labels", "video_labels"])
def test_an_index_out_of_range_is_named(
    predictions: Predictions, tmp_path: Path, name: str
) -> None:
    array = getattr(predictions, name).copy()
    array.flat[0] = 999
    write_predictions(tmp_path, replace(predictions, **{name: array}))
    with pytest.raises(UserError, match=rf"episodes\.npz .* {name} has values outside 0 to"):
        read_predictions(tmp_path)


def test_arrays_of_other_shapes_are_named(predictions: Predictions, tmp_path: Path) -> None:
    write_predictions(tmp_path, predictions)
    with np.load(tmp_path / "episodes.npz") as stored:
        content = {**stored, "labels": stored["labels"][:-1]}
    np.savez(tmp_path / "episodes.npz", **content)
    with pytest.raises(UserError, match="labels has the shape"):
        read_predictions(tmp_path)


def test_a_damaged_file_is_named(predictions: Predictions, tmp_path: Path) -> None:
    write_predictions(tmp_path, predictions)
    file = tmp_path / "episodes.npz"
    complete = file.read_bytes()
    for content in (b"", b"PK", complete[: len(complete) // 2]):
        file.write_bytes(content)
        with pytest.raises(UserError, match=r"episodes\.npz has no valid test episodes"):
            read_predictions(tmp_path)
    np.savez(file, other=np.zeros(3))
    with pytest.raises(UserError, match="has no valid test episodes"):
        read_predictions(tmp_path)
