"""Validation during training: the best state on the selecting classes is the one that is kept."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from fsarbench.engine import ranks
from fsarbench.engine.bench import Bench
from fsarbench.engine.clock import Clock
from fsarbench.engine.evaluate import evaluate
from fsarbench.engine.settings import EvaluateSettings, Select
from fsarbench.engine.weights import SELECTION, save_weights
from fsarbench.model import FewShotModel
from fsarbench.progress import Bars


@dataclass
class History:
    """Validations so far.

    Attributes:
        entries: Episodes trained and accuracy (0 to 1) of each validation.
        best_episode: The entry that is kept.
        best_accuracy: Its accuracy; below 0 before the first validation.
        seconds: Spent on validation.
        waited: Seconds in which training waited for data.
        elapsed: Seconds until the last state was written, validation included.

    Seconds are of the whole training, however often it was stopped and resumed, but for what was
    computed after a last state and lost.
    """

    entries: list[tuple[int, float]] = field(default_factory=list)
    best_episode: int = 0
    best_accuracy: float = -1.0
    seconds: float = 0.0
    waited: float = 0.0
    elapsed: float = 0.0


class SelectionHook(Hook):
    """Validates every so many iterations and at the end, and keeps the best tuned parts.

    Args:
        model: What is trained.
        bench: Whose classes decide.
        select: Which of its splits.
        settings: How validation is run.
        interval: Iterations between two validations.
        path: The file of the best.
        history: Where the validations are noted.
        bars: Where progress is shown.
    """

    priority = "NORMAL"

    def __init__(
        self,
        model: FewShotModel,
        bench: Bench,
        select: Select,
        settings: EvaluateSettings,
        interval: int,
        path: Path,
        history: History,
        bars: Bars,
    ) -> None:
        self.model = model
        self.bench = bench
        self.select = select
        self.settings = settings
        self.interval = interval
        self.path = path
        self.history = history
        self.bars = bars

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Validates when it is time."""
        del data_batch, outputs
        done = batch_idx + 1
        if done % self.interval and done != runner.max_iters:
            return
        clock = Clock(self.bench.device)
        with clock:
            accuracy = self._accuracy()
        self.history.seconds += clock.seconds
        self._note(done * ranks.count(), accuracy)
        runner.visualizer.add_scalars({"val/accuracy": accuracy}, step=done)
        runner.logger.info(f"Validation after {done} iterations: accuracy {accuracy:.4f}")

    def _accuracy(self) -> float:
        # The ranks share the work, and each has the whole outcome.
        episodes, name = self.settings.val_episodes, self.select
        tested = evaluate(self.model, self.bench, name, self.settings, episodes, self.bars)
        return tested.accuracy

    def _note(self, episode: int, accuracy: float) -> None:
        self.history.entries.append((episode, accuracy))
        if accuracy <= self.history.best_accuracy:
            return
        self.history.best_episode, self.history.best_accuracy = episode, accuracy
        if ranks.is_main():
            facts = {"episode": str(episode), "accuracy": repr(accuracy), SELECTION: self.select}
            save_weights(self.model, self.path, facts)
