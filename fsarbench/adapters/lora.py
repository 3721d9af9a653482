"""LoRA (Hu et al., ICLR 2022, arXiv 2106.09685)."""

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import Distinct, NotEmpty, PositiveFloat, PositiveInt
from fsarbench.errors import UserError
from fsarbench.interfaces import Adapter, Block, Projection
from fsarbench.registry import ADAPTERS

Place = Literal["q", "k", "v", "o", "mlp"]
Places = Annotated[Sequence[Place], NotEmpty(), Distinct()]


@ADAPTERS.register_module()
class LoRA(Adapter):
    """A change of low rank, (alpha / rank) B A, to frozen weights (Eq. 3).

    The change is added to the weight before it is applied, which gives the same as the two paths of
    the paper's figure and leaves the library's attention as it is.

    Args:
        width: Token width C, offered by assembly.
        mlp_width: Inner width of the block's MLP, offered by assembly.
        rank: The rank r of the change.
        alpha: The change is scaled by alpha / rank.
        projections: Query, key, value, the attention's output, both layers of the MLP.

    Raises:
        UserError: There is no projection, one comes twice, or the trunk's MLP is not plain.
    """

    def __init__(
        self,
        width: int,
        mlp_width: int,
        rank: PositiveInt = 8,
        alpha: PositiveFloat = 8.0,
        projections: Places = ("q", "v"),
    ) -> None:
        super().__init__()
        if "mlp" in projections and not mlp_width:
            raise UserError("LoRA: 'mlp' needs an MLP of two plain layers; this trunk's is gated.")
        self.changes = nn.ModuleDict()
        for name in projections:
            if name == "mlp":
                self.changes["up"] = LowRank(width, mlp_width, rank, alpha)
                self.changes["down"] = LowRank(mlp_width, width, rank, alpha)
            else:
                self.changes[name] = LowRank(width, width, rank, alpha)

    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """The block with changed weights."""
        del text
        changes: dict[Projection, Tensor] = {
            name: change()  # type: ignore[misc]
            for name, change in self.changes.items()
        }
        return block.reweighted(changes)(tokens)


class LowRank(nn.Module):
    """(alpha / rank) B A, zero at the start: A is drawn as a linear layer is, and B is zero.

    Args:
        inputs: Columns of the weight.
        outputs: Rows of the weight.
        rank: The rank r.
        alpha: The change is scaled by alpha / rank.
    """

    def __init__(self, inputs: int, outputs: int, rank: int, alpha: float) -> None:
        super().__init__()
        self.scale = alpha / rank
        self.a = nn.Parameter(torch.empty(rank, inputs))
        self.b = nn.Parameter(torch.zeros(outputs, rank))
        nn.init.kaiming_uniform_(self.a, a=5**0.5)

    def forward(self) -> Float[Tensor, "outputs inputs"]:
        """The change of the weight."""
        return self.scale * self.b @ self.a
