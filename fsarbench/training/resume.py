"""Resuming of runs: record of the inputs of a run, and states of its training."""

import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from fsarbench.errors import UserError
from fsarbench.runtime import distributed
from fsarbench.runtime.atomic_files import atomic_path, write_errors, write_text
from fsarbench.settings import TrainSettings
from fsarbench.training.checkpoint import BEST, restore, trainable_state
from fsarbench.training.history import History

INPUTS = "inputs.json"
STATES = "state"
KEPT_STATES = 2
# Keys that may differ when a run is resumed, because results do not depend on them. Keys such as
# `evaluate.batch_size` and `evaluate.chunk` must be equal, because they change rounding.
MAY_DIFFER = (
    "train.log_interval",
    "train.trackers",
    "train.workers",
    "evaluate.workers",
    "dataset.workers",
)


def begin_run(folder: Path, inputs: Mapping[str, Any], resume: bool, result: str) -> bool:
    """Record the inputs of a new run, or compare the inputs of a resumed run with the record.

    Args:
        folder: Folder of the run.
        inputs: Resolved config and all other inputs that results depend on, nested by section.
        resume: Whether to resume the run in the folder.
        result: Name of the result file, which exists for finished runs only.

    Returns:
        Whether the run is already finished.

    Raises:
        UserError: An input differs, the folder has no record of inputs, or the folder has a
            finished run and `resume` is False.
    """
    record, now = folder / INPUTS, flatten(inputs)
    finished = (folder / result).exists()
    if finished and not resume:
        raise UserError(f"{folder} contains a finished run. Give another --work-dir.")
    if resume and record.is_file():
        require_same(read_inputs(record), now, folder)
        return finished
    if any((folder / output).exists() for output in (result, BEST, STATES)):
        raise UserError(
            f"{folder} cannot be resumed: {INPUTS}, the record of the inputs of the run, is "
            "missing; earlier versions of fsarbench did not write it. Start a new run in another "
            "folder."
        )
    write_text(record, json.dumps(now, indent=1, sort_keys=True) + "\n")
    return False


def read_inputs(record: Path) -> dict[str, Any]:
    """Recorded inputs of a run by dotted key.

    Raises:
        UserError: The file is damaged.
    """
    try:
        inputs = json.loads(record.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(
            f"{record} is damaged ({error}). Start a new run in another folder."
        ) from None
    return dict(inputs)


def flatten(inputs: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by dotted key, converted to JSON values.

    Example:
        >>> flatten({"matcher": {"type": "OTAM", "sizes": (1, 2)}, "seed": 0})
        {'matcher.type': 'OTAM', 'matcher.sizes': [1, 2], 'seed': 0}
    """
    flat: dict[str, Any] = {}
    for key, value in inputs.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = json.loads(json.dumps(value, default=str))
    return flat


def require_same(before: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    """Check that a run is resumed with the same inputs.

    Raises:
        UserError: Inputs differ; the message lists the old and new value of each.
    """

    def as_text(values: Mapping[str, Any], key: str) -> str:
        return json.dumps(values[key]) if key in values else "not set"

    keys = [key for key in sorted({*before, *now}) if key not in MAY_DIFFER]
    pairs = [(key, as_text(before, key), as_text(now, key)) for key in keys]
    listed = "; ".join(f"{key} was {old}, is {new}" for key, old, new in pairs if old != new)
    if listed:
        raise UserError(
            f"{folder} cannot be resumed, because it was started with other inputs: {listed}. "
            "Restore the old values, or start a new run in another folder."
        )


def training_inputs(settings: TrainSettings, seed: int, processes: int) -> dict[str, Any]:
    """Inputs of a training that must be equal when it is resumed."""
    return flatten({"train": asdict(settings), "seed": seed, "processes": processes})


class ResumeStates:
    """Last states of a training on disk: trainable parameters, optimizer and history.

    Random states are not saved, because all random numbers depend on seed and iteration only.

    Args:
        folder: Folder of the states.
        model: Model in training.
        optimizer: Optimizer of the model.
        history: Validations and seconds.
        inputs: Inputs that must be equal when the training is resumed, from `training_inputs`.
    """

    def __init__(
        self,
        folder: Path,
        model: nn.Module,
        optimizer: Optimizer,
        history: History,
        inputs: Mapping[str, Any],
    ) -> None:
        self.folder = folder
        self.model = model
        self.optimizer = optimizer
        self.history = history
        self.inputs = dict(inputs)

    def load(self) -> int:
        """Load the newest readable state, and return its number of optimizer steps; 0 without one.

        Raises:
            UserError: The state has other inputs, or was written by an earlier version.
        """
        state = newest_state(self.folder)
        if state is None:
            return 0
        require_same(state["inputs"], self.inputs, self.folder.parent)
        restore(self.model, state["model"], str(self.folder))
        self.optimizer.load_state_dict(state["optimizer"])
        vars(self.history).update(state["history"])
        return int(state["step"])

    def save(self, step: int) -> None:
        """Write the state after `step` optimizer steps atomically, and remove old states."""
        if not distributed.is_main():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "step": step,
            "inputs": self.inputs,
            "model": trainable_state(self.model),
            "optimizer": self.optimizer.state_dict(),
            "history": vars(self.history),
        }
        path = self.folder / f"step_{step:08d}.pt"
        with write_errors(path), atomic_path(path) as temporary:
            torch.save(state, temporary)
        for old in sorted(self.folder.glob("step_*.pt"))[:-KEPT_STATES]:
            old.unlink()

    def clear(self) -> int:
        """Remove the states of an earlier training, and return 0 optimizer steps."""
        if distributed.is_main():
            for path in self.folder.glob("*.pt"):
                path.unlink()
        return 0


def newest_state(folder: Path) -> dict[str, Any] | None:
    """Newest readable state; None without one. Unreadable states are skipped.

    Raises:
        UserError: All states were written by an earlier version.
    """
    for path in sorted(folder.glob("step_*.pt"), reverse=True):
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except (RuntimeError, EOFError, UnpicklingError, OSError) as error:
            warnings.warn(f"{path} cannot be read and is skipped ({error}).", stacklevel=2)
    if any(folder.glob("iteration_*.pt")):
        raise UserError(
            f"{folder} was written by an earlier version of fsarbench and cannot be resumed. Start "
            "a new run in another folder. `fsarbench eval` can still test best.safetensors."
        )
    return None
