"""A finished run that can be asked again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from jaxtyping import Float
from torch import Tensor

from fsarbench.data.data_module import Bench
from fsarbench.data.loader import EpisodeDataset
from fsarbench.model import FewShotModel
from fsarbench.results.finished_runs import Run
from fsarbench.video import Split


@dataclass(frozen=True)
class Rebuilt:
    """The model of a run and what it was tested on.

    Attributes:
        model: With its tuned parts, in evaluation mode.
        bench: Videos, clips and episodes.
        episodes: The test episodes with their frames, by number.
        text: The text features of the test classes.
    """

    model: FewShotModel
    bench: Bench
    episodes: EpisodeDataset
    text: Float[Tensor, "M E"] | None

    @property
    def split(self) -> Split:
        """The test classes and videos."""
        return self.bench.splits["test"]


# Raises a UserError where config, weights or videos are gone. It is handed down from the command
# line, since building models from configs is above this floor.
Rebuild: TypeAlias = Callable[[Run], Rebuilt]
