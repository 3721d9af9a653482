"""One prototype per shot."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.interfaces import PrototypeBuilder
from fsarbench.registry import PROTOTYPES


@PROTOTYPES.register_module()
class EachShot(PrototypeBuilder):
    """One prototype per shot, for matchers that attend to all shots of a class at once.

    Example:
        >>> import torch
        >>> prototypes, _ = EachShot()(torch.ones(5, 3, 8, 4), torch.ones(2, 8, 4), None)
        >>> prototypes.shape
        torch.Size([1, 5, 3, 8, 4])
    """

    def forward(
        self,
        support: Float[Tensor, "N K S F"],
        query: Float[Tensor, "Q S F"],
        text: Float[Tensor, "N M E"] | None,
    ) -> tuple[Float[Tensor, "#Q N P S F"], Float[Tensor, "Q S F"]]:
        """K prototypes per class, shared by all queries; queries are unchanged, text is unused."""
        return support[None], query
