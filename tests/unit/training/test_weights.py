from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from torch import nn

from fsarbench.errors import UserError
from fsarbench.model import FewShotModel
from fsarbench.training import checkpoint
from fsarbench.training.checkpoint import load_weights, save_weights, trainable_state

Build = Callable[..., FewShotModel]


def test_saved_weights_and_metadata_are_loaded(build: Build, tmp_path: Path) -> None:
    saved, loaded = build(), build()
    with torch.no_grad():
        saved.backbone.adapter.scale.weight.normal_()
    save_weights(saved, tmp_path / "w.safetensors", {"episode": "7"})
    assert load_weights(loaded, tmp_path / "w.safetensors") == {"episode": "7"}
    assert torch.equal(saved.backbone.adapter.scale.weight, loaded.backbone.adapter.scale.weight)
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]


def test_equal_weights_and_metadata_give_equal_files(build: Build, tmp_path: Path) -> None:
    metadata = {f"key {number}": "value" for number in range(6)}
    contents = set()
    for number in range(4):
        save_weights(build(), tmp_path / f"{number}", metadata)
        contents.add((tmp_path / f"{number}").read_bytes())
    assert len(contents) == 1


def test_running_means_are_saved_with_trainable_norms_only() -> None:
    model = nn.Sequential(nn.BatchNorm1d(2), nn.BatchNorm1d(3))
    model[1].requires_grad_(False)
    assert set(trainable_state(model)) == {
        "0.weight", "0.bias", "0.running_mean", "0.running_var", "0.num_batches_tracked",
    }  # fmt: skip


def test_weights_of_another_model_are_rejected(build: Build, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(nn.Linear(2, 3), path, {})
    with pytest.raises(UserError, match=r"scale\.weight is missing.*weight is not part of"):
        load_weights(build(), path)
    with pytest.raises(UserError, match=r"weight is \[3, 2\], the model has \[3, 4\]"):
        load_weights(nn.Linear(4, 3), path)


def test_a_missing_or_damaged_file_is_rejected(build: Build, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Checkpoint .*none does not exist"):
        load_weights(build(), tmp_path / "none")
    (tmp_path / "bad").write_bytes(b"not safetensors")
    with pytest.raises(UserError, match="bad is not a valid safetensors file"):
        load_weights(build(), tmp_path / "bad")


def test_classifiers_of_losses_are_not_loaded_for_testing(build: Build, tmp_path: Path) -> None:
    trained, other = build(), build()
    trained.losses["classes"] = nn.Linear(2, 8)
    other.losses["classes"] = nn.Linear(2, 6)
    save_weights(trained, tmp_path / "w", {})
    load_weights(other, tmp_path / "w", testing=True)
    with pytest.raises(UserError, match="does not fit"):
        load_weights(other, tmp_path / "w")


def test_weights_that_are_not_finite_are_rejected(build: Build, tmp_path: Path) -> None:
    model = build()
    with torch.no_grad():
        model.backbone.adapter.scale.weight.fill_(torch.nan)
    save_weights(model, tmp_path / "w", {})
    with pytest.raises(UserError, match=r"adapter\.scale\.weight .*NaN"):
        load_weights(build(), tmp_path / "w")


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        SafetensorError("Error while serializing: I/O error: No space left on device"),
        RuntimeError("[enforce fail] . PytorchStreamWriter failed writing file data/0: No space"),
    ],
)
def test_a_full_disk_gives_one_message_and_keeps_the_old_file(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    path = tmp_path / "best.safetensors"
    save_weights(build(), path, {"episode": "40"})
    before = path.read_bytes()

    def full(state: object, file: Path, metadata: object) -> None:
        file.write_bytes(b"half")
        raise error

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(UserError, match=r"cannot write .*best.safetensors: .*No space"):
        save_weights(build(), path, {})
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [(path.name, before)]
