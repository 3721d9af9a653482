"""Mean of the shots."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.interfaces import PrototypeBuilder
from fsarbench.registry import PROTOTYPES


@PROTOTYPES.register_module()
class Mean(PrototypeBuilder):
    """Mean of the shots of each class, frame by frame (after Snell et al., NeurIPS 2017).

    Example:
        >>> import torch
        >>> prototypes, _ = Mean()(torch.ones(5, 3, 8, 4), torch.ones(2, 8, 4), None)
        >>> prototypes.shape
        torch.Size([1, 5, 1, 8, 4])
    """

    def forward(
        self,
        support: Float[Tensor, "N K S F"],
        query: Float[Tensor, "Q S F"],
        text: Float[Tensor, "N M E"] | None,
    ) -> tuple[Float[Tensor, "#Q N P S F"], Float[Tensor, "Q S F"]]:
        """One prototype per class, shared by all queries; queries are unchanged, text is unused."""
        return support.mean(1, keepdim=True)[None], query
