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
    """Scores and explanations of one model for one episode.

    Attributes:
        scores: Score of every query for every class.
        parts: Terms of the scores by name; with several branches, their logits among them.
        pictures: Explanation of each branch's matcher by branch; empty if nothing is matched.
    """

    scores: Float[Tensor, "Q N"]
    parts: Mapping[str, Float[Tensor, "Q N"]]
    pictures: Mapping[str, MatchExplanation]


@torch.no_grad()
def explain_episode(model: FewShotModel, episode: Episode) -> ExplainedEpisode:
    """Run a model on one episode and collect the explanations of readout and matchers."""
    text = model.encode_text(episode)
    support, query = model.encode(episode, text)
    outcome = model.match(support, query, text)
    readout, seen = model.readout, model.view(outcome, "readout")
    parts = dict(readout.explain(seen)) if isinstance(readout, ExplainsScores) else {}
    if len(outcome.branches) > 1:
        parts |= {f"logits of {name}": each.logits for name, each in outcome.branches.items()}
    return ExplainedEpisode(model.scores(outcome), parts, explain_matchers(model, outcome))


def explain_matchers(model: FewShotModel, outcome: Outcome) -> dict[str, MatchExplanation]:
    """Explanation of each branch's matcher; cosines of frames if a matcher has none."""
    if not model.readout.uses_match:
        return {}
    pictures = {}
    for name, matching in model.matchings().items():
        branch = outcome.branches[name]
        if branch.prototypes is None or branch.matched is None:
            continue
        if isinstance(matching.matcher, ExplainsMatch):
            pictures[name] = matching.matcher.explain(branch.matched, branch.prototypes)
        else:
            cosines = frame_cosines(branch.matched, branch.prototypes)
            pictures[name] = MatchExplanation(cosines, caption=PLAIN)
    return pictures
