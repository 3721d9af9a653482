"""What a training leaves behind: its validations, the selected checkpoint and its seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fsarbench.settings import Select

Selection = Select | Literal["none", "unknown"]
SELECTIONS: dict[str, Selection] = {"val": "val", "test": "test"}
# The metadata key of a checkpoint that names the classes it was selected on.
SELECTION = "selection"


@dataclass(frozen=True)
class Training:
    """Outcome of a training.

    Attributes:
        skipped: Why nothing was trained; empty if something was.
        selection: The classes that selected the checkpoint: `val`, `test`, `none` where nothing was
            trained, or `unknown` for a checkpoint that does not say.
        validations: Episodes trained and accuracy (0 to 1) of each validation, in order.
        best_episode: The validation whose checkpoint is kept.
        seconds: Training time without validation.
        val_seconds: Validation time.
        wait_seconds: The part of the training time that was spent waiting for data.
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
        """Validation accuracy of the selected checkpoint; None where nothing was trained."""
        return dict(self.validations).get(self.best_episode)


@dataclass
class History:
    """Validations and seconds so far.

    Seconds cover the whole training, however often it was stopped and resumed, except for the work
    after the last resume state, which was lost.

    Attributes:
        validations: Episodes trained and accuracy (0 to 1) of each validation.
        best_episode: The validation with the highest accuracy; the first of equal ones.
        best_accuracy: Its accuracy; below 0 before the first validation.
        seconds: Seconds until the last resume state was written, validation included.
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
        """Record a validation; returns whether it is the best so far."""
        self.validations.append((episode, accuracy))
        if accuracy <= self.best_accuracy:
            return False
        self.best_episode, self.best_accuracy = episode, accuracy
        return True

    def training(self, selection: Selection) -> Training:
        """The outcome of a training that ends here."""
        return Training(
            selection=selection,
            validations=tuple((episode, accuracy) for episode, accuracy in self.validations),
            best_episode=self.best_episode,
            seconds=self.seconds - self.val_seconds,
            val_seconds=self.val_seconds,
            wait_seconds=self.wait_seconds,
        )


def training_of(metadata: Mapping[str, str]) -> Training:
    """Training described by a checkpoint's metadata; foreign files describe none.

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
