"""The last state of a training, for going on where it stopped."""

import warnings
from dataclasses import asdict
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from fsarbench.engine.settings import TrainSettings
from fsarbench.errors import UserError
from fsarbench.files import whole

STATES = "state"
KEPT = 2
# What may differ between a run and its continuation without changing what is computed.
FREE = ("workers", "log_interval")


def save_state(folder: Path, iteration: int, state: dict[str, Any]) -> None:
    """Writes a state aside, names it when it is whole, and only then removes the oldest."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"iteration_{iteration:08d}.pt"
    with whole(path) as aside:
        torch.save(state, aside)
    for old in sorted(folder.glob("iteration_*.pt"))[:-KEPT]:
        old.unlink()


def latest_state(folder: Path) -> dict[str, Any] | None:
    """The newest readable state; an unreadable one counts as absent."""
    for path in sorted(folder.glob("iteration_*.pt"), reverse=True):
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except (RuntimeError, EOFError, UnpicklingError, OSError) as error:
            warnings.warn(f"{path} cannot be read and is passed over ({error}).", stacklevel=2)
    return None


def clear_states(folder: Path) -> None:
    """Removes the states of an earlier training."""
    for path in folder.glob("iteration_*.pt"):
        path.unlink()


def conditions(settings: TrainSettings, seed: int, ranks: int) -> dict[str, Any]:
    """What a continuation must share with the run that it goes on with, in plain values."""
    plain = {key: value for key, value in asdict(settings).items() if key not in FREE}
    plain["milestones"] = list(settings.milestones)
    return {**plain, "seed": seed, "ranks": ranks}


def check_conditions(saved: dict[str, Any], now: dict[str, Any], folder: Path) -> None:
    """Refuses to go on with a training under other settings.

    Raises:
        UserError: A setting differs; the message names all that do.
    """
    # A state of an earlier version knows nothing of newer settings; it was trained as they default.
    was = {**asdict(TrainSettings()), **saved}
    other = [f"{key} was {was.get(key)}, is {now[key]}" for key in now if was.get(key) != now[key]]
    if other:
        raise UserError(
            f"The training in {folder.parent} cannot be resumed with other settings: "
            f"{'; '.join(other)}. Put them back, or train anew in another work folder."
        )
