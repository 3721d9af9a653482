"""Cosine of time-averaged features, blind to order."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import PositiveFloat
from fsarbench.functional.pairwise import mean_cosines
from fsarbench.interfaces import Matcher
from fsarbench.registry import MATCHERS


@MATCHERS.register_module()
class MeanCosine(Matcher):
    """Cosine of time-averaged features over a temperature, the baseline that ignores order.

    Args:
        temperature: What the cosine is divided by, above 0; 0.1 is where learned scales of cosine
            classifiers start (Meta-Baseline, Chen et al., ICCV 2021).

    Example:
        >>> import torch
        >>> MeanCosine()(torch.ones(1, 8, 4), torch.ones(1, 5, 1, 8, 4)).shape
        torch.Size([1, 5])
    """

    def __init__(self, temperature: PositiveFloat = 0.1) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(
        self, query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P T D"]
    ) -> Float[Tensor, "Q N"]:
        """The mean over P of the cosines, over temperature."""
        return mean_cosines(query, prototypes).mean(-1) / self.temperature
