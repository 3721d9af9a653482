"""CrossTransformer: query-specific prototypes by attention (Doersch et al., NeurIPS 2020)."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.explanation import MatchExplanation
from fsarbench.functional.pairwise import frame_cosines
from fsarbench.interfaces import Matcher
from fsarbench.registry import MATCHERS

Score = Literal["distance", "cosine"]


@MATCHERS.register_module()
class CrossTransformer(Matcher):
    """CrossTransformers over frames (Doersch, Gupta and Zisserman, NeurIPS 2020).

    Every frame of a query attends to all frames of all P prototypes of a class; the output is the
    class's prototype for that frame. The logit compares frame and prototype and is averaged over
    frames.

    Args:
        dim: Feature width D.
        key_dim: Width of keys and values; 128 in the paper, 1024 in the code that HyRSM and
            related methods share for their frame-level baseline.
        score: Negative squared `distance`, as in the paper, or `cosine`, as in the shared code.

    Example:
        >>> import torch
        >>> CrossTransformer(4)(torch.ones(2, 8, 4), torch.ones(1, 5, 3, 8, 4)).shape
        torch.Size([2, 5])
    """

    def __init__(self, dim: int, key_dim: PositiveInt = 128, score: Score = "distance") -> None:
        super().__init__()
        self.score = score
        # Query and support share the key head and the value head, as in the paper.
        self.key = nn.Linear(dim, key_dim, bias=False)
        self.value = nn.Linear(dim, key_dim, bias=False)
        self.scale = key_dim**-0.5

    def forward(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N"]:
        """Similarity to the attended values, averaged over frames."""
        frames = prototypes.flatten(2, 3)
        attended = torch.matmul(self._attention(query, frames), self.value(frames))
        values = self.value(query)[:, None]
        if self.score == "cosine":
            cosines = F.normalize(values, dim=-1) * F.normalize(attended, dim=-1)
            return cosines.sum(-1).mean(-1)
        return -(values - attended).square().sum(-1).mean(-1)

    def explain(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> MatchExplanation:
        """Cosine similarities and attention weights."""
        attention = self._attention(query, prototypes.flatten(2, 3))
        weights = attention.unflatten(-1, prototypes.shape[2:4]).transpose(2, 3)
        caption = "attention of a query's frame to the frames of a class; each row sums to 1"
        return MatchExplanation(frame_cosines(query, prototypes), weights, caption)

    def _attention(
        self, query: Float[Tensor, "Q T D"], frames: Float[Tensor, "#Q N S D"]
    ) -> Float[Tensor, "Q N T S"]:
        scores = torch.matmul(self.key(query)[:, None], self.key(frames).transpose(-1, -2))
        return (scores * self.scale).softmax(-1)
