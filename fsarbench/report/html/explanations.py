"""Model output for one episode, with the explanations of its components."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.data.data_module import DataModule
from fsarbench.data.loader import EpisodeDataset
from fsarbench.episode import Episode, Outcome
from fsarbench.explanation import ExplainsMatch, ExplainsScores, MatchExplanation
from fsarbench.functional.pairwise import frame_cosines
from fsarbench.model import FewShotModel
from fsarbench.results.finished_runs import Run
from fsarbench.video import Split


@dataclass(frozen=True)
class ReloadedRun:
    """The model of a run and what it was tested on.

    Attributes:
        model: With its checkpoint loaded, in evaluation mode.
        data_module: Videos, clips and episodes.
        episodes: The test episodes with their frames, by number.
        text: The text features of the test classes.
    """

    model: FewShotModel
    data_module: DataModule
    episodes: EpisodeDataset
    text: Float[Tensor, "A M E"] | None

    @property
    def split(self) -> Split:
        """The test classes and videos."""
        return self.data_module.splits["test"]


# Raises a UserError where config, weights or videos are gone. It is handed down from the command
# line, since building models from configs is above this floor.
Rebuild: TypeAlias = Callable[[Run], ReloadedRun]


PLAIN = "cosines of frames; this matcher does not say how it weighs them"


@dataclass(frozen=True)
class ExplainedEpisode:
    """One episode as one model saw it.

    Attributes:
        scores: Of every query for every class.
        parts: What the scores are made of, by name.
        picture: What the matcher saw; None where nothing is matched.
    """

    scores: Float[Tensor, "Q N"]
    parts: Mapping[str, Float[Tensor, "Q N"]]
    picture: MatchExplanation | None


@torch.no_grad()
def explain_episode(model: FewShotModel, episode: Episode) -> ExplainedEpisode:
    """Runs a model on an episode and asks its parts."""
    text = model.encode_text(episode)
    support, query = model.encode(episode, text)
    outcome = model.match(support, query, text)
    readout = model.readout
    parts = readout.explain(outcome) if isinstance(readout, ExplainsScores) else {}
    return ExplainedEpisode(model.scores(outcome), parts, picture(model, outcome))


def picture(model: FewShotModel, outcome: Outcome) -> MatchExplanation | None:
    """What the matcher saw; of a matcher that shows nothing, the cosines of frames."""
    if model.prototypes is None or model.matcher is None or not model.readout.uses_match:
        return None
    prototypes, query = model.prototypes(outcome.support, outcome.query, outcome.text)
    if isinstance(model.matcher, ExplainsMatch):
        return model.matcher.explain(query, prototypes)
    return MatchExplanation(frame_cosines(query, prototypes), caption=PLAIN)
