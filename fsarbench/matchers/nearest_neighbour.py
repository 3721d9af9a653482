"""Nearest-neighbour classification of videos by the support set."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import PositiveFloat
from fsarbench.functional.support_set import Normalise, Pooling, vectors
from fsarbench.interfaces import Matcher
from fsarbench.registry import MATCHERS


@MATCHERS.register_module()
class NearestNeighbour(Matcher):
    """Minus the squared Euclidean distance to the nearest of the P support examples of a class.

    Args:
        pooling: `mean` averages features over time, `flatten` concatenates the frames.
        normalise: `l2` divides the feature vector of a video by its norm, `none` leaves it.
        temperature: What the distance is divided by, above 0.

    Example:
        >>> import torch
        >>> NearestNeighbour()(torch.ones(2, 8, 4), torch.ones(1, 5, 3, 8, 4)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        pooling: Pooling = "mean",
        normalise: Normalise = "l2",
        temperature: PositiveFloat = 1.0,
    ) -> None:
        super().__init__()
        self.pooling = pooling
        self.normalise = normalise
        self.temperature = temperature

    def forward(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N"]:
        """Minus the least squared distance, over temperature."""
        examples = vectors(prototypes, self.pooling, self.normalise)
        points = vectors(query, self.pooling, self.normalise)
        distances = (points[:, None, None] - examples).square().sum(-1)
        return -distances.amin(-1) / self.temperature
