"""Outcome and history of a training: validations, selected checkpoint and seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fsarbench.settings import Select

Selection = Select | Literal["none", "unknown"]
SELECTIONS: dict[str, Selection] = {"val": "val", "test": "test"}
# Key of a checkpoint's metadata for the split that selected it.
SELECTION = "selection"


@dataclass(frozen=True)
class Training:
    """Outcome of a training.

    Attributes:
        skipped: Reason why nothing was trained; empty if the model was trained.
        selection: Split that selected the checkpoint: `val`, `test`, `none` without training, or
            `unknown` if the checkpoint does not record it.
        validations: Number of training episodes and accuracy (0 to 1) of each validation, in order.
        best_episode: Number of training episodes of the selected checkpoint.
        seconds: Training time without validation.
        val_seconds: Validation time.
        wait_seconds: Part of the training time spent waiting for data.
    """

    skipped: str = ""
    selection: Selection = "none"
    validations: tuple[tuple[int, float], ...] = ()
    best_episode: int = 0
    seconds: float = 0.0
    val_seconds: float = 0.0
    wait_seconds: float = 0.0

    @property
    def best_accuracy(self) -> float | None:
        """Validation accuracy of the selected checkpoint; None without training."""
        return dict(self.validations).get(self.best_episode)


@dataclass
class History:
    """Validations and seconds of a running training.

    The seconds of a resumed training include those before it was stopped, up to its last resume
    state.

    Attributes:
        validations: Number of training episodes and accuracy (0 to 1) of each validation.
        best_episode: Number of training episodes at the highest accuracy; the first of equal ones.
        best_accuracy: Highest accuracy; below 0 before the first validation.
        seconds: Seconds until the last resume state was written, including validation.
        val_seconds: Seconds of validation.
        wait_seconds: Seconds in which this process waited for training data.
    """

    validations: list[tuple[int, float]] = field(default_factory=list)
    best_episode: int = 0
    best_accuracy: float = -1.0
    seconds: float = 0.0
    val_seconds: float = 0.0
    wait_seconds: float = 0.0

    def add(self, episode: int, accuracy: float) -> bool:
        """Record a validation, and return whether it is the best so far."""
        self.validations.append((episode, accuracy))
        if accuracy <= self.best_accuracy:
            return False
        self.best_episode, self.best_accuracy = episode, accuracy
        return True

    def training(self, selection: Selection) -> Training:
        """Outcome of the training, if it ends now."""
        return Training(
            selection=selection,
            validations=tuple((episode, accuracy) for episode, accuracy in self.validations),
            best_episode=self.best_episode,
            seconds=self.seconds - self.val_seconds,
            val_seconds=self.val_seconds,
            wait_seconds=self.wait_seconds,
        )


def training_of(metadata: Mapping[str, str]) -> Training:
    """Training described by the metadata of a checkpoint; empty for files of other programs.

    Example:
        >>> training_of({}).selection
        'unknown'
        >>> training_of({"episode": "40", "accuracy": "0.5", "selection": "val"}).best_accuracy
        0.5
    """
    selection = SELECTIONS.get(metadata.get(SELECTION, ""), "unknown")
    try:
        episode, accuracy = int(metadata["episode"]), float(metadata["accuracy"])
    except (KeyError, ValueError):
        return Training(selection=selection)
    return Training(selection=selection, validations=((episode, accuracy),), best_episode=episode)
