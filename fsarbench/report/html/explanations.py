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
    """Model and test data of a finished run.

    Attributes:
        model: Model with its checkpoint, in evaluation mode.
        data_module: Videos, clips and episodes.
        episodes: Test episodes with their frames, by number.
        text: Text features of the test classes; None if the model computes them.
    """

    model: FewShotModel
    data_module: DataModule
    episodes: EpisodeDataset
    text: Float[Tensor, "M E"] | None

    @property
    def split(self) -> Split:
        """Test split."""
        return self.data_module.splits["test"]


# Function that rebuilds a run; raises a UserError if its config, weights or videos are missing. The
# command line passes it, because this package must not import the modules that build models.
Rebuild: TypeAlias = Callable[[Run], ReloadedRun]


NO_EXPLANATION = "cosine similarity of frames; this matcher has no explanation"


@dataclass(frozen=True)
class ExplainedEpisode:
    """Scores and explanations of one model for one episode.

    Attributes:
        scores: Score of every query for every class.
        parts: Terms of the scores by name.
        match: Explanation of the matcher; None without a matcher.
    """

    scores: Float[Tensor, "Q N"]
    parts: Mapping[str, Float[Tensor, "Q N"]]
    match: MatchExplanation | None


@torch.no_grad()
def explain_episode(model: FewShotModel, episode: Episode) -> ExplainedEpisode:
    """Run a model on an episode and collect the explanations of its components."""
    text = model.encode_text(episode)
    support, query = model.encode(episode, text)
    outcome = model.match(support, query, text)
    readout = model.readout
    parts = readout.explain(outcome) if isinstance(readout, ExplainsScores) else {}
    return ExplainedEpisode(model.scores(outcome), parts, explain_match(model, outcome))


def explain_match(model: FewShotModel, outcome: Outcome) -> MatchExplanation | None:
    """Explanation of the matcher; cosine similarities of frames if it provides none."""
    if model.prototypes is None or model.matcher is None or not model.readout.uses_match:
        return None
    prototypes, query = model.prototypes(outcome.support, outcome.query, outcome.text)
    if isinstance(model.matcher, ExplainsMatch):
        return model.matcher.explain(query, prototypes)
    return MatchExplanation(frame_cosines(query, prototypes), caption=NO_EXPLANATION)
