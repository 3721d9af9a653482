"""Squared Euclidean distance of time-averaged features, without temporal order."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import PositiveFloat
from fsarbench.functional.pairwise import mean_distances
from fsarbench.interfaces import Matcher
from fsarbench.registry import MATCHERS


@MATCHERS.register_module()
class MeanEuclidean(Matcher):
    """Squared Euclidean distance of time-averaged features (ProtoNet, Snell et al., NeurIPS 2017).

    Args:
        temperature: Divisor of the distance, above 0.

    Example:
        >>> import torch
        >>> MeanEuclidean()(torch.ones(1, 8, 4), torch.zeros(1, 5, 1, 8, 4))
        tensor([[-4., -4., -4., -4., -4.]])
    """

    def __init__(self, temperature: PositiveFloat = 1.0) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N"]:
        """Negative squared distances, averaged over P and divided by the temperature."""
        return -mean_distances(query, prototypes).mean(-1) / self.temperature
