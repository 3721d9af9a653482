"""CrossTransformer: prototypes that a query's frames ask for (Doersch et al., NeurIPS 2020)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.interfaces import Matcher
from fsarbench.registry import MATCHERS


@MATCHERS.register_module()
class CrossTransformer(Matcher):
    """CrossTransformers over frames (Doersch, Gupta and Zisserman, NeurIPS 2020).

    Every frame of a query attends to all frames of all P prototypes of a class; what it gets is the
    class's prototype for that frame. The logit is minus their squared distance, mean over frames.

    Args:
        dim: The feature width D.
        key_dim: The width of keys and values.

    Example:
        >>> import torch
        >>> CrossTransformer(4)(torch.ones(2, 8, 4), torch.ones(1, 5, 3, 8, 4)).shape
        torch.Size([2, 5])
    """

    def __init__(self, dim: int, key_dim: int = 128) -> None:
        super().__init__()
        # One head for the keys of both sides and one for the values, as in the paper.
        self.key = nn.Linear(dim, key_dim, bias=False)
        self.value = nn.Linear(dim, key_dim, bias=False)
        self.scale = key_dim**-0.5

    def forward(
        self, query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P T D"]
    ) -> Float[Tensor, "Q N"]:
        """Minus the squared distance to the attended values, mean over frames."""
        frames = prototypes.flatten(2, 3)
        keys, values = self.key(frames), self.value(frames)
        likeness = torch.matmul(self.key(query)[:, None], keys.transpose(-1, -2))
        attended = torch.matmul((likeness * self.scale).softmax(-1), values)
        gap = self.value(query)[:, None] - attended
        return -gap.square().sum(-1).mean(-1)
