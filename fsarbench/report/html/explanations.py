"""Model output for one episode, with the explanations of its components."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
    text: Float[Tensor, "A M E"] | None

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
        parts: Terms of the scores by name; with several branches, also the logits of each branch.
        matches: Explanation of each branch's matcher by branch; empty if nothing is matched.
        weights: Weight of each branch's logits in the fused logits; empty for a single branch.
    """

    scores: Float[Tensor, "Q N"]
    parts: Mapping[str, Float[Tensor, "Q N"]]
    matches: Mapping[str, MatchExplanation]
    weights: Mapping[str, float] = field(default_factory=dict)


@torch.no_grad()
def explain_episode(model: FewShotModel, episode: Episode) -> ExplainedEpisode:
    """Run a model on an episode and collect the explanations of its readout and matchers."""
    text = model.encode_text(episode)
    support, query = model.encode(episode, text)
    outcome = model.match(support, query, text)
    readout, visible = model.readout, model.view(outcome, "readout")
    parts = dict(readout.explain(visible)) if isinstance(readout, ExplainsScores) else {}
    weights = {}
    if len(outcome.branches) > 1:
        parts |= {f"logits of {name}": branch.logits for name, branch in outcome.branches.items()}
        weights = {name: model.matchings()[name].weight for name in outcome.branches}
    return ExplainedEpisode(model.scores(outcome), parts, explain_matchers(model, outcome), weights)


def explain_matchers(model: FewShotModel, outcome: Outcome) -> dict[str, MatchExplanation]:
    """Explanation of each branch's matcher; cosine similarities of frames if it provides none."""
    if not model.readout.uses_match:
        return {}
    explanations = {}
    for name, matching in model.matchings().items():
        branch = outcome.branches[name]
        if branch.prototypes is None or branch.matched is None:
            continue
        if isinstance(matching.matcher, ExplainsMatch):
            explanations[name] = matching.matcher.explain(branch.matched, branch.prototypes)
        else:
            cosines = frame_cosines(branch.matched, branch.prototypes)
            explanations[name] = MatchExplanation(cosines, caption=NO_EXPLANATION)
    return explanations
