"""Visual explanations of an episode: the optional method `explain` and its return types.

A matcher's `explain(query, prototypes)` returns a `MatchExplanation`; a readout's
`explain(outcome)` returns scores by name. Without `explain`, the episode viewer shows only the
cosine similarities of frames and the final scores. Unlike `forward`, `explain` is called only on
real data and one episode at a time, so it may use `.item()`, branches and gradients.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from fsarbench.episode import Outcome


@dataclass(frozen=True)
class Link:
    """Match between a group of query frames and a group of prototype frames.

    Attributes:
        query: Frame indices of the query, from 0.
        prototype: Index of the prototype among the P of its class.
        frames: Frame indices of that prototype.
        weight: Weight of the match, 0 to 1.
    """

    query: tuple[int, ...]
    prototype: int
    frames: tuple[int, ...]
    weight: float


@dataclass(frozen=True)
class MatchExplanation:
    """Frame-by-frame similarities and matching weights of queries and prototypes.

    Attributes:
        similarity: Similarity of two frames; larger means more similar.
        weights: Contribution of two frames to the score, 0 or more; None if not available.
        caption: Description of the weights, shown to the reader.
        links: Groups of frames with the largest weights by query and class, largest first; empty
            for matchers of single frames.
    """

    similarity: Float[Tensor, "Q N P T S"]
    weights: Float[Tensor, "Q N P T S"] | None = None
    caption: str = ""
    links: Mapping[tuple[int, int], Sequence[Link]] = field(default_factory=dict)


@runtime_checkable
class ExplainsMatch(Protocol):
    """Matcher with an explanation of its logits."""

    def explain(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> MatchExplanation:
        """Explanation of the logits that `forward` returns for the same inputs."""


@runtime_checkable
class ExplainsScores(Protocol):
    """Readout with an explanation of its scores."""

    def explain(self, outcome: Outcome) -> Mapping[str, Float[Tensor, "Q N"]]:
        """Terms of the scores by name."""
