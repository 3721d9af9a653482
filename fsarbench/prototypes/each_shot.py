"""The shots as they are."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.interfaces import PrototypeBuilder
from fsarbench.registry import PROTOTYPES


@PROTOTYPES.register_module()
class EachShot(PrototypeBuilder):
    """Every shot a prototype of its own, for matchers that look at all shots of a class together.

    Example:
        >>> import torch
        >>> prototypes, _ = EachShot()(torch.ones(5, 3, 8, 4), torch.ones(2, 8, 4), None)
        >>> prototypes.shape
        torch.Size([1, 5, 3, 8, 4])
    """

    def forward(
        self,
        support: Float[Tensor, "N K T D"],
        query: Float[Tensor, "Q T D"],
        text: Float[Tensor, "N E"] | None,
    ) -> tuple[Float[Tensor, "#Q N P T D"], Float[Tensor, "Q T D"]]:
        """K prototypes a class, the same for all queries; queries and text are left alone."""
        return support[None], query
