"""Product of a visual and a semantic score (Task-Adapter and Task-Adapter++)."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import PositiveFloat
from fsarbench.errors import UserError
from fsarbench.explanation import MatchExplanation
from fsarbench.functional.pairwise import derivative, frame_cosines
from fsarbench.matchers.frame_cosine import FrameCosineMatcher
from fsarbench.registry import MATCHERS


@MATCHERS.register_module()
class CosineProduct(FrameCosineMatcher):
    """Cosine of the first steps, times the mean cosine of the other steps at the same position.

    The score of Task-Adapter++ (arXiv 2505.06002) with the prototypes SubActionWindows, whose first
    step is the mean frame and whose other steps are pairs of a sentence and a window of frames.
    Each of the P prototypes of a class is matched separately and the scores are averaged.

    Args:
        temperature: What the product is divided by; the authors' code multiplies by 64.

    Example:
        >>> import torch
        >>> CosineProduct(1.0)(torch.ones(1, 3, 4), torch.ones(1, 2, 1, 3, 4))
        tensor([[1., 1.]])
    """

    def __init__(self, temperature: PositiveFloat = 1 / 64) -> None:
        super().__init__()
        self.temperature = temperature

    def score(self, cosines: Float[Tensor, "Q N P T S"]) -> Float[Tensor, "Q N"]:
        """Product of both factors, divided by the temperature.

        Raises:
            UserError: There is one step only.
        """
        if min(cosines.shape[-2:]) < 2:
            raise UserError(
                "CosineProduct multiplies the cosine of the first steps by that of the others, but "
                "there is one step. Choose prototypes with more, such as SubActionWindows."
            )
        same = cosines.diagonal(dim1=-2, dim2=-1)
        return (same[..., 0] * same[..., 1:].mean(-1)).mean(-1) / self.temperature

    def explain(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> MatchExplanation:
        """Cosine similarities, and how strongly each pair changes the score."""
        cosines = frame_cosines(query, prototypes)
        weights = derivative(self.score, cosines).abs() * self.temperature
        caption = "derivative of the score; the first step is the mean frame, then sub-actions"
        return MatchExplanation(cosines, weights, caption)
