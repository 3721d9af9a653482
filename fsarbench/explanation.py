"""What a component may show of an episode: the optional method `explain`, and what it returns.

A matcher with `explain(query, prototypes)` gives a `MatchExplanation`, a readout with
`explain(outcome)` gives scores by name. Components without it work as before: the episode viewer
then shows the cosines of frames alone, and the scores. Unlike `forward`, `explain` is called on
real data only, one episode at a time, so it may use `.item()`, branches and gradients.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from fsarbench.episode import Outcome


@dataclass(frozen=True)
class Link:
    """Frames of a query and frames of a prototype that were taken together.

    Attributes:
        query: The frames of the query, counted from 0.
        prototype: Which of the P prototypes of the class.
        frames: The frames of that prototype.
        weight: How much of it there is, 0 to 1.
    """

    query: tuple[int, ...]
    prototype: int
    frames: tuple[int, ...]
    weight: float


@dataclass(frozen=True)
class MatchExplanation:
    """What a matcher saw: every frame of each query beside every frame of each prototype.

    Attributes:
        similarity: How alike two frames are; larger is more alike.
        weights: How much two frames have to do with the score, 0 or more; None where nothing is
            known of it.
        caption: What the weights are, for people.
        links: The strongest groups of frames by query and class, strongest first; empty where the
            matcher takes single frames.
    """

    similarity: Float[Tensor, "Q N P T S"]
    weights: Float[Tensor, "Q N P T S"] | None = None
    caption: str = ""
    links: Mapping[tuple[int, int], Sequence[Link]] = field(default_factory=dict)


@runtime_checkable
class ExplainsMatch(Protocol):
    """A matcher that shows what it saw."""

    def explain(
        self, query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P T D"]
    ) -> MatchExplanation:
        """The picture of the same call of `forward`."""


@runtime_checkable
class ExplainsScores(Protocol):
    """A readout that shows what its scores are made of."""

    def explain(self, outcome: Outcome) -> Mapping[str, Float[Tensor, "Q N"]]:
        """What goes into the scores, by name."""
