"""Validation during training, and the selection of the checkpoint that is kept."""

from dataclasses import dataclass
from pathlib import Path

from fsarbench.data.data_module import DataModule
from fsarbench.data.episode_sampler import EpisodeSampler
from fsarbench.evaluation.evaluate import evaluate
from fsarbench.model import FewShotModel
from fsarbench.runtime import distributed
from fsarbench.runtime.progress import ProgressBars
from fsarbench.runtime.timer import Timer
from fsarbench.settings import EvaluateSettings, Select
from fsarbench.training.checkpoint import save_weights
from fsarbench.training.history import SELECTION, History


@dataclass(frozen=True)
class Validator:
    """Tests the model in training on the selecting classes, and writes the best checkpoint.

    Attributes:
        model: The model in training.
        data_module: Its videos and episodes.
        select: The split that selects the checkpoint.
        settings: How validation is run.
        best: The file of the best checkpoint.
        bars: Where progress is shown.
    """

    model: FewShotModel
    data_module: DataModule
    select: Select
    settings: EvaluateSettings
    best: Path
    bars: ProgressBars

    def __post_init__(self) -> None:
        # A split that cannot fill an episode is reported before hours of training.
        EpisodeSampler(
            self.data_module.splits[self.select], self.data_module.episodes, self.settings.seed
        )

    def __call__(self, episode: int, history: History) -> float:
        """Accuracy (0 to 1) after some training episodes, counted over all processes."""
        clock = Timer(self.data_module.device)
        with clock:
            # The processes share the work, and each has the whole outcome.
            tested = evaluate(
                self.model,
                self.data_module,
                self.select,
                self.settings,
                self.settings.val_episodes,
                self.bars,
            )
        history.val_seconds += clock.seconds
        if history.add(episode, tested.accuracy) and distributed.is_main():
            accuracy = repr(tested.accuracy)
            metadata = {"episode": str(episode), "accuracy": accuracy, SELECTION: self.select}
            save_weights(self.model, self.best, metadata)
        return tested.accuracy
