"""Cosines of frames times a matrix generated for each query (TS-FSAR, Long et al., AAAI 2026)."""

from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import NonNegativeFloat, NonNegativeInt
from fsarbench.errors import UserError
from fsarbench.explanation import MatchExplanation
from fsarbench.functional.distance_correlation import token_of, without_token
from fsarbench.functional.pairwise import frame_cosines
from fsarbench.interfaces import Matcher
from fsarbench.registry import MATCHERS


@MATCHERS.register_module()
class TaskSpecificMatching(Matcher):
    """Task-specific distance correlation matching of TS-FSAR (AAAI 2026, arXiv 2512.11340).

    A linear map generates a matrix of S x S weights for each query from the mean token of the
    support set plus the mean token of the query. The score of a class is the sum over all pairs of
    frames of their cosine times the weight of the pair. Behind the neck AlphaDistance the cosine of
    two frames is their alpha-distance correlation, and the token is in the last values of a
    feature; of plain features (`token_width` of 0) the whole feature is both.

    Args:
        dim: Feature width F.
        frames: Number of steps S.
        token_width: Number of last values of a feature that are the token; 0 for plain features.
        cosine_eps: Term added to the product of the norms in the cosine.

    Raises:
        UserError: `token_width` leaves no values to compare.

    Example:
        >>> import torch
        >>> matcher = TaskSpecificMatching(14, frames=8, token_width=4)
        >>> matcher(torch.ones(2, 8, 14), torch.ones(1, 5, 1, 8, 14)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        dim: int,
        frames: int,
        token_width: NonNegativeInt = 0,
        cosine_eps: NonNegativeFloat = 0.01,
    ) -> None:
        super().__init__()
        if token_width >= dim:
            raise UserError(
                f"TaskSpecificMatching: token_width is {token_width}, expected less than the "
                f"feature width {dim}."
            )
        self.token_width = token_width
        self.cosine_eps = cosine_eps
        self.generator = nn.Linear(token_width or dim, frames * frames, bias=False)

    def forward(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N"]:
        """Weighted sums of the cosines of all pairs of frames, averaged over P."""
        weighted = self._weights(query, prototypes) * self._cosines(query, prototypes)
        return weighted.sum((-2, -1)).mean(-1)

    def explain(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> MatchExplanation:
        """Cosines of all pairs of frames, and those terms of the score that raise it."""
        cosines = self._cosines(query, prototypes)
        terms = self._weights(query, prototypes) * cosines
        caption = "terms of the score: cosine times generated weight, 0 if negative"
        return MatchExplanation(cosines, terms.clamp(min=0), caption)

    def _cosines(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N P S S"]:
        compared, of_classes = (without_token(x, self.token_width) for x in (query, prototypes))
        return frame_cosines(compared, of_classes, self.cosine_eps)

    def _weights(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q 1 1 S S"]:
        task = token_of(prototypes, self.token_width).mean((1, 2, 3))
        own = token_of(query, self.token_width).mean(1)
        steps = query.shape[1]
        return self.generator(task + own).unflatten(-1, (1, 1, steps, steps))
