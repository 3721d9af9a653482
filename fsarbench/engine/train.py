"""Training by mmengine's Runner; it is imported here, and only when there is something to train."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fsarbench.engine import ranks
from fsarbench.engine.bench import Bench
from fsarbench.engine.settings import EvaluateSettings, Select, TrainSettings
from fsarbench.engine.weights import BEST, load_weights
from fsarbench.model import FewShotModel, tuned_parameters
from fsarbench.progress import Bars

if TYPE_CHECKING:
    from fsarbench.engine.selection import History

Selection = Select | Literal["none", "unknown"]


@dataclass(frozen=True)
class Training:
    """What came out of training.

    Attributes:
        skipped: Why nothing was trained; empty if something was.
        selection: The classes that chose what is kept: `val`, `test`, `none` where nothing was
            trained, or `unknown` of a checkpoint that does not say.
        validations: Episodes trained and accuracy (0 to 1) on those classes, in order.
        best_episode: The validation whose tuned parts are kept.
        seconds: Of training, without validation.
        val_seconds: Of validation.
        wait_seconds: Of training, those in which it waited for data.
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
        """The validation accuracy of what is kept; None where nothing was trained."""
        return dict(self.validations).get(self.best_episode)


def train(
    model: FewShotModel,
    bench: Bench,
    settings: TrainSettings,
    evaluate_settings: EvaluateSettings,
    work_dir: Path,
    resume: bool = False,
    bars: Bars | None = None,
) -> Training:
    """Trains the tuned parts of a model, and leaves the best of them on the selecting classes.

    Args:
        model: The model, on the bench's device.
        bench: Videos, clips and episodes; its splits `train` and `settings.select` are used.
        settings: How training is run.
        evaluate_settings: How validation is run.
        work_dir: Where `best.safetensors`, the state for a resume and the logs go.
        resume: Go on from the last state in `work_dir`, if there is one.
        bars: Where progress is shown; None shows none.

    Raises:
        UserError: A split cannot fill an episode, a video cannot be read, a loss is no number, or
            the state in `work_dir` belongs to other settings.
    """
    if skipped := why_skipped(model, settings):
        return Training(skipped)
    # mmengine's Runner and what it imports cost seconds.
    from fsarbench.engine.session import run_session

    work_dir.mkdir(parents=True, exist_ok=True)
    bars = bars or Bars(quiet=True)
    history = run_session(model, bench, settings, evaluate_settings, work_dir, resume, bars)
    ranks.wait()  # The main process writes the best, and all read it.
    load_weights(model, work_dir / BEST)
    return _outcome(settings.select, history)


def _outcome(select: Select, history: "History") -> Training:
    return Training(
        selection=select,
        validations=tuple((episode, accuracy) for episode, accuracy in history.entries),
        best_episode=history.best_episode,
        seconds=history.elapsed - history.seconds,
        val_seconds=history.seconds,
        wait_seconds=history.waited,
    )


def why_skipped(model: FewShotModel, settings: TrainSettings) -> str:
    """Why there is nothing to train; empty if there is something."""
    if settings.episodes == 0:
        return "train.episodes is 0"
    if not tuned_parameters(model):
        return "the model has no tuned parameters"
    return ""
