"""Mean, max, diagonal and linear matching: one number from the cosines of all pairs of frames."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import PositiveFloat, PositiveInt
from fsarbench.errors import UserError
from fsarbench.explanation import MatchExplanation
from fsarbench.functional.pairwise import derivative, frame_cosines
from fsarbench.matchers.frame_cosine import FrameCosineMatcher
from fsarbench.registry import MATCHERS

Pooling = Literal["mean", "max", "diagonal", "linear"]


@MATCHERS.register_module()
class SimilarityPooling(FrameCosineMatcher):
    """Matching baselines of Bertrand, Kalantidis and Tolias (arXiv 2303.16084).

    The cosines of all frames of a query with all frames of a prototype are pooled to one number.
    Each of the P prototypes of a class is matched by itself and the similarities are averaged.

    Args:
        pooling: `mean` averages all pairs, `max` takes the largest, `diagonal` averages the pairs
            of frames at the same time, `linear` is a learned weighted sum of all pairs.
        temperature: What the similarity is divided by, above 0.
        frames: The number of frames T; `linear` needs it for its weights.

    Raises:
        UserError: An argument is out of range, or `linear` is not told the number of frames.

    Example:
        >>> SimilarityPooling("diagonal")(torch.ones(2, 8, 4), torch.ones(1, 5, 1, 8, 4)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        pooling: Pooling = "mean",
        temperature: PositiveFloat = 0.1,
        frames: PositiveInt | None = None,
    ) -> None:
        super().__init__()
        if pooling == "linear" and frames is None:
            raise UserError(
                f"SimilarityPooling: pooling='linear' has one weight for each pair of frames and "
                f"needs their number, got frames={frames}."
            )
        self.pooling = pooling
        self.temperature = temperature
        if pooling == "linear" and frames is not None:
            # Starts as the mean, so that it is a baseline before any training.
            self.weight = nn.Parameter(torch.full((frames, frames), frames**-2.0))

    def score(self, cosines: Float[Tensor, "Q N P T S"]) -> Float[Tensor, "Q N"]:
        """Pooled cosine similarities, averaged over P and divided by the temperature."""
        return self._pool(cosines).mean(-1) / self.temperature

    def explain(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> MatchExplanation:
        """Cosine similarities, and the weight of each pair of frames in the score."""
        cosines = frame_cosines(query, prototypes)
        weights = derivative(self._pool, cosines).abs()
        return MatchExplanation(cosines, weights, "weight of a pair of frames in the similarity")

    def _pool(self, cosines: Float[Tensor, "*B T S"]) -> Float[Tensor, "*B"]:
        if self.pooling == "max":
            return cosines.amax((-2, -1))
        if self.pooling == "diagonal":
            return cosines.diagonal(dim1=-2, dim2=-1).mean(-1)
        if self.pooling == "linear":
            return (cosines * self.weight).sum((-2, -1))
        return cosines.mean((-2, -1))
