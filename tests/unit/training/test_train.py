import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import UInt8
from torch import Tensor

from fsarbench.data.data_module import DataModule
from fsarbench.errors import UserError
from fsarbench.evaluation.evaluate import evaluate
from fsarbench.model import FewShotModel
from fsarbench.settings import EvaluateSettings, TrainSettings
from fsarbench.training.checkpoint import metadata_of, trainable_state
from fsarbench.training.history import Training
from fsarbench.training.train import train
from fsarbench.video import VideoReader

Build = Callable[..., FewShotModel]
SHORT = TrainSettings(episodes=12, accumulate=2, lr=0.02, warmup=2, val_interval=4, workers=0)
VALIDATE = EvaluateSettings(val_episodes=40, workers=0)


def run(
    model: FewShotModel, data_module: DataModule, work_dir: Path, settings: TrainSettings = SHORT
) -> tuple[Training, dict[str, Tensor]]:
    training = train(model, data_module, settings, VALIDATE, work_dir)
    return training, trainable_state(model)


def equal(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


def test_training_raises_the_accuracy_on_unseen_classes(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    model = build()
    # The frozen trunk of the toy model separates the classes by colour. The weights of the adapter
    # are negated, which hides the colours until it is trained.
    with torch.no_grad():
        model.backbone.adapter.scale.weight.copy_(-torch.eye(6))
    before = evaluate(model, data_module, "test", VALIDATE, 100).accuracy
    run(model, data_module, tmp_path, replace(SHORT, episodes=60, val_interval=20))
    assert evaluate(model, data_module, "test", VALIDATE, 100).accuracy > before + 0.1


def test_validations_are_at_the_interval_and_at_the_end(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    training, _ = run(build(), data_module, tmp_path, replace(SHORT, episodes=14))
    assert [episode for episode, _ in training.validations] == [4, 8, 12, 14]


def test_the_checkpoint_with_the_best_validation_accuracy_is_loaded(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    model = build()
    training, _ = run(model, data_module, tmp_path)
    assert training.best_accuracy == max(accuracy for _, accuracy in training.validations)
    again = evaluate(model, data_module, "val", VALIDATE, VALIDATE.val_episodes)
    assert again.accuracy == training.best_accuracy


def test_the_checkpoint_can_be_selected_on_the_test_classes(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    on_test = replace(SHORT, select="test")
    model = build()
    training, _ = run(model, data_module, tmp_path / "test", on_test)
    assert training.selection == "test"
    again = evaluate(model, data_module, "test", VALIDATE, VALIDATE.val_episodes)
    assert again.accuracy == training.best_accuracy == max(a for _, a in training.validations)
    on_val, _ = run(build(), data_module, tmp_path / "val")
    assert on_val.selection == "val"
    assert on_val.validations != training.validations


@pytest.mark.parametrize("changed", [{}, {"workers": 2}, {"log_interval": 3}])
def test_the_same_seed_gives_the_same_weights(
    build: Build, data_module: DataModule, tmp_path: Path, changed: dict[str, int]
) -> None:
    _, first = run(build(uses_text=True), data_module, tmp_path / "a")
    torch.rand(7)
    _, second = run(build(uses_text=True), data_module, tmp_path / "b", replace(SHORT, **changed))
    assert equal(first, second)


def test_another_seed_gives_other_weights(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    _, first = run(build(), data_module, tmp_path / "a")
    _, second = run(build(), replace(data_module, seed=4), tmp_path / "b")
    assert not equal(first, second)


def test_only_trainable_parameters_change_and_are_saved(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    model = build()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    run(model, data_module, tmp_path)
    changed = {
        name for name, value in model.state_dict().items() if not torch.equal(value, before[name])
    }
    assert changed == {"backbone.adapter.scale.weight", "backbone.adapter.scale.bias"}
    from safetensors import safe_open

    with safe_open(tmp_path / "best.safetensors", "pt") as file:
        assert set(file.keys()) == changed
        assert set(metadata_of(file.metadata())) == {"episode", "accuracy", "selection"}


def test_training_is_skipped_with_a_reason(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    training, _ = run(build(), data_module, tmp_path, replace(SHORT, episodes=0, warmup=0))
    assert training.skipped == "train.episodes is 0"
    model = build().requires_grad_(False)
    assert run(model, data_module, tmp_path)[0].skipped == "the model has no trainable parameters"
    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_is_not_finite_stops_training(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    model = build()
    with torch.no_grad():
        model.backbone.adapter.scale.bias.fill_(float("nan"))
    with pytest.raises(UserError, match=r"iteration 1: .*loss.* = nan.*Lower train\.lr"):
        run(model, data_module, tmp_path)


def test_training_prints_nothing_by_default(
    build: Build, data_module: DataModule, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(build(), data_module, tmp_path)
    assert capfd.readouterr() == ("", "")


def test_bf16_applies_to_the_backbone_only(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    _, fp32 = run(build(), data_module, tmp_path / "a")
    _, bf16 = run(build(), data_module, tmp_path / "b", replace(SHORT, precision="bf16"))
    assert not equal(fp32, bf16)
    assert all(value.dtype == torch.float32 for value in bf16.values())
    assert all(torch.allclose(fp32[key], bf16[key], atol=0.05) for key in fp32)


def test_scalars_are_written_to_tensorboard(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    event_accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )
    training, _ = run(build(), data_module, tmp_path, replace(SHORT, log_interval=2))
    events = event_accumulator.EventAccumulator(str(tmp_path / "tensorboard" / "vis_data"))
    events.Reload()
    tags = set(events.Tags()["scalars"])
    assert {"loss", "loss_episode", "lr", "accuracy", "grad_norm", "val/accuracy"} <= tags
    accuracies = [(event.step, event.value) for event in events.Scalars("val/accuracy")]
    assert accuracies == [(step, pytest.approx(value)) for step, value in training.validations]


def test_the_log_has_one_line_per_interval_and_validation(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    training, _ = run(build(), data_module, tmp_path, replace(SHORT, log_interval=4, trackers=()))
    lines = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()]
    losses = [line for line in lines if "loss" in line]
    assert [line["episode"] for line in losses] == [4, 8, 12]
    # Six steps of two episodes: one step of warm-up, then five steps of the cosine schedule.
    assert losses[-1]["lr"] == pytest.approx(0.02 * 0.5 * (1 + math.cos(math.pi * 4 / 5)))
    assert {"loss_episode", "accuracy", "grad_norm", "time", "data_time"} <= losses[0].keys()
    validations = [line for line in lines if "val/accuracy" in line]
    accuracies = [(line["episode"], line["val/accuracy"]) for line in validations]
    assert accuracies == list(training.validations)
    assert not (tmp_path / "tensorboard").exists()


def test_states_of_an_earlier_version_are_rejected(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "iteration_00000008.pt").write_bytes(b"")
    with pytest.raises(UserError, match="earlier version of fsarbench and cannot be resumed"):
        train(build(), data_module, SHORT, VALIDATE, tmp_path, resume=True)


class StoppedError(Exception):
    pass


class StoppingReader(VideoReader):
    """Reader that raises an error after a number of videos."""

    def __init__(self, reader: VideoReader, left: int) -> None:
        self.reader = reader
        self.left = left

    def count(self, path: Path) -> int:
        return self.reader.count(path)

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        self.left -= 1
        if self.left < 0:
            raise StoppedError
        return self.reader.read(path, indices)


def test_a_resumed_training_equals_an_uninterrupted_one(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    whole, weights = run(build(), data_module, tmp_path / "whole")
    # With 16 videos per episode and 30 per validation, the reader stops in the ninth episode.
    reader = StoppingReader(data_module.reader, 8 * 16 + 2 * 30 + 5)
    with pytest.raises(StoppedError):
        run(build(), replace(data_module, reader=reader), tmp_path / "parts")
    model = build()
    rest = train(model, data_module, SHORT, VALIDATE, tmp_path / "parts", resume=True)
    assert rest.validations == whole.validations
    assert equal(trainable_state(model), weights)


def test_resuming_with_other_settings_is_rejected(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    run(build(), data_module, tmp_path)
    other = replace(SHORT, lr=0.5, workers=1)
    with pytest.raises(UserError, match=r"other inputs: train\.lr was 0\.02, is 0\.5\. "):
        train(build(), data_module, other, VALIDATE, tmp_path, resume=True)


def test_a_damaged_state_is_skipped(build: Build, data_module: DataModule, tmp_path: Path) -> None:
    whole, weights = run(build(), data_module, tmp_path)
    states = sorted((tmp_path / "state").glob("*.pt"))
    assert [path.name for path in states] == ["step_00000004.pt", "step_00000006.pt"]
    states[1].write_bytes(states[1].read_bytes()[:100])
    model = build()
    with pytest.warns(UserWarning, match="step_00000006.pt cannot be read"):
        rest = train(model, data_module, SHORT, VALIDATE, tmp_path, resume=True)
    assert rest.validations == whole.validations
    assert equal(trainable_state(model), weights)


def test_resuming_a_finished_training_keeps_its_seconds(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    whole, _ = run(build(), data_module, tmp_path)
    again = train(build(), data_module, SHORT, VALIDATE, tmp_path, resume=True)
    assert again == whole
    assert again.seconds > 0
