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
@pytest.mark.parametrize("named", ["folder", "file"])
def test_a_checkpoint_gives_the_numbers_of_its_run(
    build: Build, data_module: DataModule, tmp_path: Path, select: str, named: str
) -> None:
    model, other = build(), build()
    settings = TrainSettings(**{**vars(TRAIN), "select": select})
    trained = train(model, data_module, settings, TEST, tmp_path)
    file = tmp_path / "best.safetensors"
    told, checkpoint = load_checkpoint(other, tmp_path if named == "folder" else file)
    np.testing.assert_array_equal(
        evaluate(model, data_module, "test", TEST).scores,
        evaluate(other, data_module, "test", TEST).scores,
    )
    assert told.selection == trained.selection == select
    assert (told.best_episode, told.best_accuracy) == (trained.best_episode, trained.best_accuracy)
    assert checkpoint is not None
    assert checkpoint.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert checkpoint.file == str(file)


def test_a_file_that_does_not_say_leaves_the_selection_unknown(
    build: Build, tmp_path: Path
) -> None:
    save_weights(build(), tmp_path / "w.safetensors", {})
    told, _ = load_checkpoint(build(), tmp_path / "w.safetensors")
    assert told.selection == "unknown"
    assert told.best_accuracy is None
    assert not told.skipped


def test_a_checkpoint_of_another_model_is_refused(build: Build, tmp_path: Path) -> None:
    save_weights(nn.Linear(2, 3), tmp_path / "best.safetensors", {})
    with pytest.raises(UserError, match=r"scale\.weight is missing"):
        load_checkpoint(build(), tmp_path)
    with pytest.raises(UserError, match=r"no checkpoint at .*none"):
        load_checkpoint(build(), tmp_path / "none")


def test_without_a_file_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert checkpoint_of(tmp_path / "best.safetensors") is None
