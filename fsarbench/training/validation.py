"""Validation during training, and selection of the best checkpoint."""

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
    """Validation of a model in training, which writes the best checkpoint.

    Attributes:
        model: Model in training.
        data_module: Videos and episodes.
        select: Split that selects the checkpoint.
        settings: Settings of the validation.
        best: File of the best checkpoint.
        bars: Progress bars.
    """

    model: FewShotModel
    data_module: DataModule
    select: Select
    settings: EvaluateSettings
    best: Path
    bars: ProgressBars

    def __post_init__(self) -> None:
        # Fails before training if the split has too few videos for an episode.
        EpisodeSampler(
            self.data_module.splits[self.select], self.data_module.episodes, self.settings.seed
        )

    def __call__(self, episode: int, history: History) -> float:
        """Validate after `episode` training episodes over all processes; return the accuracy."""
        timer = Timer(self.data_module.device)
        with timer:
            # The episodes are split among the processes; every process gets the whole result.
            result = evaluate(
                self.model,
                self.data_module,
                self.select,
                self.settings,
                self.settings.val_episodes,
                self.bars,
            )
        history.val_seconds += timer.seconds
        if history.add(episode, result.accuracy) and distributed.is_main():
            accuracy = repr(result.accuracy)
            metadata = {"episode": str(episode), "accuracy": accuracy, SELECTION: self.select}
            save_weights(self.model, self.best, metadata)
        return result.accuracy
