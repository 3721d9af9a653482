import json
import subprocess
import sys
from pathlib import Path

import pytest

from fsarbench import settings
from fsarbench.errors import UserError
from fsarbench.settings import TrainSettings
from fsarbench.training import trackers
from fsarbench.training.trackers import LOG, open_trackers, require_installed


def test_every_backend_of_mmengine_has_a_name() -> None:
    # In a new process, because importing some backends prints warnings.
    imports = "from mmengine.visualization import *; from mmengine.registry import VISBACKENDS as v"
    done = subprocess.run(
        [sys.executable, "-c", f"{imports}; print(*v.module_dict)"],
        capture_output=True,
        text=True,
        check=True,
    )
    backends = {name.lower() for name in done.stdout.split()}
    assert {f"{name}VisBackend".lower() for name in settings.TRACKERS} == backends


def test_an_unknown_tracker_is_rejected_with_the_known_ones() -> None:
    with pytest.raises(
        UserError, match=r"train\.trackers has 'Wand', expected one of .*TensorBoard, WandB"
    ):
        TrainSettings(trackers=["Wand"])


def test_a_tracker_that_is_not_installed_is_rejected_with_the_install_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda module: None)
    with pytest.raises(UserError, match=r"ClearML needs .*: pip install clearml"):
        require_installed(["ClearML"])
    with (
        pytest.raises(UserError, match=r"wandb .*: pip install wandb"),
        open_trackers(["wandb"], tmp_path / "run", "run", {}),
    ):
        pass
    assert not (tmp_path / "run").exists()


def test_a_tracker_that_cannot_start_is_named_in_the_message(tmp_path: Path) -> None:
    (tmp_path / "local").write_text("a file instead of a folder")
    with (
        pytest.raises(UserError, match=r"Local could not be started: NotADirectoryError"),
        open_trackers(["Local"], tmp_path, "run", {}),
    ):
        pass


def test_the_log_continues_after_an_incomplete_line(tmp_path: Path) -> None:
    (tmp_path / LOG).write_text('{"episode": 1, "loss": 2.0}\n{"episode": 2, "lo')
    with open_trackers([], tmp_path, "run", {}) as log:
        log.add({"loss": 1.0, "grad_norm": float("inf")}, 2)
    *_, last = (tmp_path / LOG).read_text().splitlines()
    assert json.loads(last) == {"episode": 2, "loss": 1.0, "grad_norm": "inf"}
