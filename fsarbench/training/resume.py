"""Resuming: what a run was started with, and the states that its training continues from."""

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
# The only keys that may differ when a run is resumed: no number depends on them, to the last digit.
# Everything else is compared, `evaluate.batch_size` and `chunk` too: they change how sums round.
MAY_DIFFER = (
    "train.log_interval",
    "train.trackers",
    "train.workers",
    "evaluate.workers",
    "dataset.workers",
)


def begin_run(folder: Path, inputs: Mapping[str, Any], resume: bool, result: str) -> bool:
    """Record what a run starts with, or compare a resumed run with its record.

    Args:
        folder: The run's.
        inputs: The resolved config and all else that numbers depend on, nested by section.
        resume: Whether the run continues what is in the folder.
        result: The name of the file that only a finished run holds.

    Returns:
        Whether the run is finished already.

    Raises:
        UserError: An input differs, the folder has no record of its inputs, or it holds a finished
            run that was not to be resumed.
    """
    record, now = folder / INPUTS, flatten(inputs)
    finished = (folder / result).exists()
    if finished and not resume:
        raise UserError(f"{folder} holds a finished run. Name another --work-dir.")
    if resume and record.is_file():
        require_same(read_inputs(record), now, folder)
        return finished
    if any((folder / output).exists() for output in (result, BEST, STATES)):
        raise UserError(
            f"{folder} cannot be resumed: {INPUTS}, which says what the run was started with, is "
            "missing; an earlier version of fsarbench wrote none. Start again in another folder."
        )
    write_text(record, json.dumps(now, indent=1, sort_keys=True) + "\n")
    return False


def read_inputs(record: Path) -> dict[str, Any]:
    """The recorded inputs of a run by dotted key.

    Raises:
        UserError: The record is damaged.
    """
    try:
        inputs = json.loads(record.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{record} is damaged ({error}). Start again in another folder.") from None
    return dict(inputs)


def flatten(inputs: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by dotted key, as JSON gives them back.

    Example:
        >>> flatten({"matcher": {"type": "OTAM", "sizes": (1, 2)}, "seed": 0})
        {'matcher.type': 'OTAM', 'matcher.sizes': [1, 2], 'seed': 0}
    """
    found: dict[str, Any] = {}
    for key, value in inputs.items():
        if isinstance(value, Mapping) and value:
            found |= flatten(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = json.loads(json.dumps(value, default=str))
    return found


def require_same(before: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    """Refuse to resume a run with other inputs.

    Raises:
        UserError: Some differ; the message lists each with its old and its new value.
    """

    def shown(values: Mapping[str, Any], key: str) -> str:
        return json.dumps(values[key]) if key in values else "not set"

    keys = [key for key in sorted({*before, *now}) if key not in MAY_DIFFER]
    pairs = [(key, shown(before, key), shown(now, key)) for key in keys]
    listed = "; ".join(f"{key} was {old}, is {new}" for key, old, new in pairs if old != new)
    if listed:
        raise UserError(
            f"{folder} cannot be resumed, because it was started with other inputs: {listed}. "
            "Set them back, or start a new run in another folder."
        )


def training_inputs(settings: TrainSettings, seed: int, processes: int) -> dict[str, Any]:
    """The inputs that a resumed training shares with the one that it continues."""
    return flatten({"train": asdict(settings), "seed": seed, "processes": processes})


class ResumeStates:
    """The last states of a training on disk: trainable parameters, optimizer and history.

    No random state is kept: all randomness derives from the seed and the iteration.

    Args:
        folder: Where they are.
        model: The model in training.
        optimizer: Its optimizer.
        history: Its validations and seconds.
        inputs: What a training that continues from a state must share; see `training_inputs`.
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
        """Load the newest readable state; returns its optimizer steps, 0 where there is none.

        Raises:
            UserError: The state belongs to other inputs, or was written by an earlier version.
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
        """Write the state after some optimizer steps, atomically; then remove the oldest."""
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
        with write_errors(path), atomic_path(path) as aside:
            torch.save(state, aside)
        for old in sorted(self.folder.glob("step_*.pt"))[:-KEPT_STATES]:
            old.unlink()

    def clear(self) -> int:
        """Remove the states of an earlier training; returns 0, the steps that are done."""
        if distributed.is_main():
            for path in self.folder.glob("*.pt"):
                path.unlink()
        return 0


def newest_state(folder: Path) -> dict[str, Any] | None:
    """The newest readable state; an unreadable one counts as absent.

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
            f"{folder} was written by an earlier version of fsarbench, whose trainings cannot be "
            "resumed by this one. Start a new run in another folder; `fsarbench eval` still tests "
            "the best.safetensors."
        )
    return None
