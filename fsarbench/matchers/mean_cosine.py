"""Cosine similarity of time-averaged features, without temporal order."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import NonNegativeFloat, PositiveFloat
from fsarbench.functional.pairwise import mean_cosines
from fsarbench.interfaces import Matcher
from fsarbench.registry import MATCHERS


@MATCHERS.register_module()
class MeanCosine(Matcher):
    """Cosine similarity of time-averaged features; a baseline that ignores temporal order.

    Args:
        temperature: Divisor of the cosine, above 0; 0.1 is the initial value of the learned scale
            in Meta-Baseline (Chen et al., ICCV 2021).
        cosine_eps: Term added to the product of the norms in the cosine; the published code of
            several methods adds 0.01.

    Example:
        >>> import torch
        >>> MeanCosine()(torch.ones(1, 8, 4), torch.ones(1, 5, 1, 8, 4)).shape
        torch.Size([1, 5])
    """

    def __init__(
        self, temperature: PositiveFloat = 0.1, cosine_eps: NonNegativeFloat = 0.0
    ) -> None:
        super().__init__()
        self.temperature = temperature
        self.cosine_eps = cosine_eps

    def forward(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N"]:
        """Cosine similarities, averaged over P and divided by the temperature."""
        cosines = mean_cosines(query, prototypes, self.cosine_eps)
        return cosines.mean(-1) / self.temperature
