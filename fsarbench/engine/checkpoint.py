"""A checkpoint that was trained before, put into a model to be tested."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fsarbench.engine.train import Selection, Training
from fsarbench.engine.weights import BEST, SELECTION, load_weights
from fsarbench.model import FewShotModel

SELECTIONS: dict[str, Selection] = {"val": "val", "test": "test"}


@dataclass(frozen=True)
class Checkpoint:
    """Which tuned parts were tested.

    Attributes:
        file: The file, as it was named.
        sha256: The hash of its bytes.
    """

    file: str
    sha256: str


def checkpoint_of(path: Path, name: str = "") -> Checkpoint | None:
    """What is said of a file of tuned parts; None where there is none.

    Args:
        path: The file.
        name: What it is called; empty for its path.
    """
    if not path.is_file():
        return None
    return Checkpoint(name or str(path), hashlib.sha256(path.read_bytes()).hexdigest())


def load_checkpoint(model: FewShotModel, path: Path) -> tuple[Training, Checkpoint | None]:
    """Puts tuned parts into a model; returns what their file tells of their training.

    Args:
        model: Built as the one that was trained.
        path: The file, or the folder of its run.

    Raises:
        UserError: The file is missing or damaged, or names or shapes are not those of the model.
    """
    file = path / BEST if path.is_dir() else path
    return training_of(load_weights(model, file, testing=True)), checkpoint_of(file)


def training_of(facts: Mapping[str, str]) -> Training:
    """What the facts of a checkpoint tell; a file of other making tells nothing.

    Example:
        >>> training_of({}).selection
        'unknown'
        >>> training_of({"episode": "40", "accuracy": "0.5", "selection": "val"}).best_accuracy
        0.5
    """
    selection = SELECTIONS.get(facts.get(SELECTION, ""), "unknown")
    try:
        episode, accuracy = int(facts["episode"]), float(facts["accuracy"])
    except (KeyError, ValueError):
        return Training(selection=selection)
    return Training(selection=selection, validations=((episode, accuracy),), best_episode=episode)
