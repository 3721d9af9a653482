import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from fsarbench.data.data_module import DataModule
from fsarbench.errors import UserError
from fsarbench.evaluation.evaluate import evaluate
from fsarbench.model import FewShotModel
from fsarbench.settings import EvaluateSettings, TrainSettings
from fsarbench.training.checkpoint import checkpoint_of, load_checkpoint, save_weights
from fsarbench.training.train import train

Build = Callable[..., FewShotModel]
TRAIN = TrainSettings(episodes=4, accumulate=2, lr=0.02, val_interval=2, workers=0)
TEST = EvaluateSettings(episodes=20, val_episodes=10, workers=0)


@pytest.mark.parametrize("select", ["val", "test"])
@pytest.mark.parametrize("path_of", ["folder", "file"])
def test_a_checkpoint_gives_the_scores_of_its_run(
    build: Build, data_module: DataModule, tmp_path: Path, select: str, path_of: str
) -> None:
    model, other = build(), build()
    settings = TrainSettings(**{**vars(TRAIN), "select": select})
    trained = train(model, data_module, settings, TEST, tmp_path)
    file = tmp_path / "best.safetensors"
    loaded, checkpoint = load_checkpoint(other, tmp_path if path_of == "folder" else file)
    np.testing.assert_array_equal(
        evaluate(model, data_module, "test", TEST).scores,
        evaluate(other, data_module, "test", TEST).scores,
    )
    assert loaded.selection == trained.selection == select
    assert loaded.best_episode == trained.best_episode
    assert loaded.best_accuracy == trained.best_accuracy
    assert checkpoint is not None
    assert checkpoint.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert checkpoint.file == str(file)


def test_selection_is_unknown_without_metadata(build: Build, tmp_path: Path) -> None:
    save_weights(build(), tmp_path / "w.safetensors", {})
    loaded, _ = load_checkpoint(build(), tmp_path / "w.safetensors")
    assert loaded.selection == "unknown"
    assert loaded.best_accuracy is None
    assert not loaded.skipped


def test_a_checkpoint_of_another_model_is_rejected(build: Build, tmp_path: Path) -> None:
    save_weights(nn.Linear(2, 3), tmp_path / "best.safetensors", {})
    with pytest.raises(UserError, match=r"scale\.weight is missing"):
        load_checkpoint(build(), tmp_path)
    with pytest.raises(UserError, match=r"Checkpoint .*none does not exist"):
        load_checkpoint(build(), tmp_path / "none")


def test_checkpoint_of_a_missing_file_is_none(tmp_path: Path) -> None:
    assert checkpoint_of(tmp_path / "best.safetensors") is None
