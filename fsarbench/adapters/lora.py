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

Target = Literal["q", "k", "v", "o", "mlp"]
Targets = Annotated[Sequence[Target], NotEmpty(), Distinct()]


@ADAPTERS.register_module()
class LoRA(Adapter):
    """Low-rank update (alpha / rank) B A of frozen weights (Eq. 3).

    The update is added to the weight before the product with the input. This is equivalent to the
    two parallel paths of the paper's figure and keeps the library's attention unchanged.

    Args:
        width: Token width C, filled in from the backbone.
        mlp_width: Hidden width of the block's MLP, filled in from the backbone.
        rank: Rank r of the update.
        alpha: Scale of the update, which is multiplied by alpha / rank.
        projections: Adapted weights: query, key, value and output of the attention, and `mlp` for
            both layers of the MLP.

    Raises:
        UserError: `projections` is empty or has duplicates, or the trunk's MLP is gated.
    """

    def __init__(
        self,
        width: int,
        mlp_width: int,
        rank: PositiveInt = 8,
        alpha: PositiveFloat = 8.0,
        projections: Targets = ("q", "v"),
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
        """Tokens after the block with updated weights."""
        del text
        changes: dict[Projection, Tensor] = {
            name: change()  # type: ignore[misc]
            for name, change in self.changes.items()
        }
        return block.reweighted(changes)(tokens)


class LowRank(nn.Module):
    """Low-rank matrix (alpha / rank) B A; A is initialised like a linear layer and B to zero.

    Args:
        inputs: Number of columns.
        outputs: Number of rows.
        rank: Rank r.
        alpha: Scale, which is divided by the rank.
    """

    def __init__(self, inputs: int, outputs: int, rank: int, alpha: float) -> None:
        super().__init__()
        self.scale = alpha / rank
        self.a = nn.Parameter(torch.empty(rank, inputs))
        self.b = nn.Parameter(torch.zeros(outputs, rank))
        nn.init.kaiming_uniform_(self.a, a=5**0.5)

    def forward(self) -> Float[Tensor, "outputs inputs"]:
        """Update of the weight."""
        return self.scale * self.b @ self.a
