import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fsarbench.data.data_module import DataModule
from fsarbench.errors import UserError
from fsarbench.evaluation.evaluate import evaluate, evaluate_all
from fsarbench.model import FewShotModel
from fsarbench.results.predictions import Predictions, predictions_of, read_predictions
from fsarbench.results.run_result import Origin, describe_run, read_result, write_run
from fsarbench.settings import EvaluateSettings
from fsarbench.training.history import Training

Build = Callable[..., FewShotModel]
SETTINGS = EvaluateSettings(episodes=30, workers=0)
ORIGIN = Origin(name="toy", config="a = 1\n", dataset="Toy", fingerprint="abc", total_seconds=12.5)
TRAINED = Training(
    selection="val",
    validations=((5, 0.5), (10, 0.75)),
    best_episode=10,
    seconds=3.0,
    val_seconds=1.0,
)


@pytest.fixture
def run(build: Build, data_module: DataModule) -> tuple[dict[str, object], Predictions]:
    model = build(uses_text=True)
    evaluation = evaluate(model, data_module, "test", SETTINGS)
    result = describe_run(model, data_module, SETTINGS, TRAINED, [evaluation], ORIGIN)
    return result, predictions_of(evaluation, data_module.splits["test"])


def test_a_result_is_read_as_it_was_written(run: tuple, tmp_path: Path) -> None:
    result, predictions = run
    write_run(tmp_path, result, [predictions])
    assert read_result(tmp_path) == result == read_result(tmp_path / "result.json")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["config.py", "episodes.csv", "episodes.npz", "result.json"]
    assert (tmp_path / "config.py").read_text() == "a = 1\n"


def test_every_episode_is_written(run: tuple, tmp_path: Path) -> None:
    result, predictions = run
    write_run(tmp_path, result, [predictions])
    table = np.genfromtxt(tmp_path / "episodes.csv", delimiter=",", names=True)
    assert table["episode"].tolist() == list(range(30))
    np.testing.assert_allclose(table["accuracy"], predictions.accuracies, atol=1e-6)
    assert result["accuracy"]["mean"] == pytest.approx(predictions.accuracies.mean())
    assert result["accuracy"]["n"] == 30


def test_each_interval_describes_what_it_covers(run: tuple) -> None:
    result, _ = run
    intervals = {"episodes": result["accuracy"], **result["intervals"]}
    assert set(intervals) == {"episodes", "videos", "classes", "disjoint_episodes"}
    for name, interval in intervals.items():
        if interval["unavailable"]:
            assert (interval["low"], interval["high"], interval["half_width"]) == (None,) * 3
            assert name != "episodes"
        else:
            assert interval["low"] < interval["mean"] < interval["high"]
    # With five videos per class, any two episodes are likely to share a video.
    assert "fewer than 5" in result["intervals"]["disjoint_episodes"]["unavailable"]
    for interval in intervals.values():
        assert interval["covers"]
        assert "seeds" in interval["leaves_out"]


def test_every_test_setting_has_its_accuracy_and_its_file(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    model = build()
    settings = replace(SETTINGS, shots=[1, 2])
    evaluations = evaluate_all(model, data_module, "test", settings)
    result = describe_run(model, data_module, settings, TRAINED, evaluations, ORIGIN)
    predictions = [predictions_of(e, data_module.splits["test"]) for e in evaluations]
    write_run(tmp_path, result, predictions)
    main, other = result["settings"]
    assert main["accuracy"] == result["accuracy"]
    assert main["intervals"] == result["intervals"]
    assert (main["way"], main["shot"], other["way"], other["shot"]) == (4, 2, 4, 1)
    assert (main["episodes_file"], other["episodes_file"]) == (
        "episodes.npz",
        "episodes_4way_1shot.npz",
    )
    assert main["gflops_episode"] == result["gflops"]["episode"] > other["gflops_episode"]
    for setting in (main, other):
        read = read_predictions(tmp_path, setting["episodes_file"])
        assert read is not None
        assert read.support.shape == (30, 4, setting["shot"])
        assert read.accuracies.mean() == pytest.approx(setting["accuracy"]["mean"])


def test_skipped_videos_are_in_the_conditions(build: Build, data_module: DataModule) -> None:
    model = build(uses_text=True)
    evaluation = evaluate(model, data_module, "test", SETTINGS)
    origin = replace(ORIGIN, skipped={"a.mp4": "truncated: 3 of 9 frames"})
    result = describe_run(model, data_module, SETTINGS, TRAINED, [evaluation], origin)
    assert result["conditions"]["skipped_videos"] == {"a.mp4": "truncated: 3 of 9 frames"}


def test_conditions_and_costs(run: tuple) -> None:
    result, _ = run
    assert result["conditions"]["splits"]["test"] == {"classes": 6, "videos": 30}
    assert result["conditions"]["way"] == 4
    assert result["conditions"]["selection"] == "val"
    assert result["conditions"]["route"]["cached"] is True
    assert result["training"]["best_val_accuracy"] == 0.75
    assert result["parameters"]["tuned"] == 42
    assert result["parameters"]["total"] == 42 + 24
    # 16 videos of 3 frames through 3 x 6 and 6 x 6 weights.
    assert result["gflops"]["episode"] == pytest.approx(16 * 2 * 3 * (18 + 36) / 1e9)
    assert result["memory"]["gpu_peak_bytes"] is None
    assert result["memory"]["process_peak_bytes"] > 2**20
    assert result["seconds"]["total"] == 12.5


def test_a_result_without_intervals_is_valid_json(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    model = build()
    evaluation = evaluate(model, data_module, "test", SETTINGS, episodes=1)
    result = describe_run(model, data_module, SETTINGS, Training("why"), [evaluation], ORIGIN)
    write_run(tmp_path, result, [predictions_of(evaluation, data_module.splits["test"])])
    read = json.loads((tmp_path / "result.json").read_text())
    assert read["accuracy"]["half_width"] is None
    assert read["intervals"]["videos"]["half_width"] is None
    assert read["conditions"]["selection"] == "none"


def test_every_field_is_documented(run: tuple) -> None:
    page = (Path(__file__).parents[3] / "docs" / "result-schema.md").read_text()
    words = set(re.findall(r"\w+", page))
    result, _ = run
    for section, content in result.items():
        assert section in words
        if isinstance(content, dict) and section not in ("versions", "device"):
            assert set(content) <= words


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "There is no result at"),
        ("{", "is not a result"),
        ('{"schema": 0}', "not have the schema 1"),
    ],
)
def test_an_invalid_result_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "result.json").write_text(content)
    with pytest.raises(UserError, match=message):
        read_result(tmp_path)
