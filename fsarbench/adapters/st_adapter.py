"""ST-Adapter (Pan et al., NeurIPS 2022, arXiv 2206.13559)."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import OddInt, PositiveInt
from fsarbench.interfaces import Adapter, Block
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class STAdapter(Adapter):
    """Bottleneck with a depth-wise space-time convolution before attention and / or MLP (Eq. 5).

    Args:
        width: Token width C, filled in from the backbone.
        prefix: Number of tokens before the patches (class token, registers), filled in from the
            backbone.
        bottleneck: Channels of the convolution; None is half the width, 384 on ViT-B.
        kernel: Kernel size over frames, rows and columns; odd numbers.
        before: Position of the adapters in the block.
    """

    def __init__(
        self,
        width: int,
        prefix: int = 1,
        bottleneck: PositiveInt | None = None,
        kernel: tuple[OddInt, OddInt, OddInt] = (3, 1, 1),
        before: Literal["attention", "mlp", "both"] = "both",
    ) -> None:
        super().__init__()
        hidden = bottleneck or width // 2

        def adapter_before(layer: str) -> nn.Module:
            if before in (layer, "both"):
                return SpaceTimeBottleneck(width, hidden, kernel, prefix)
            return nn.Identity()

        self.before_attention, self.before_mlp = adapter_before("attention"), adapter_before("mlp")

    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """Tokens after the adapted block."""
        del text
        tokens = self.before_attention(tokens)
        tokens = tokens + block.attend(block.norm1(tokens))
        tokens = self.before_mlp(tokens)
        return tokens + block.mlp(block.norm2(tokens))


class SpaceTimeBottleneck(nn.Module):
    """X + DWConv3D(X W_down) W_up on the patch tokens; prefix tokens are unchanged.

    Args:
        width: Token width C.
        hidden: Channels of the convolution.
        kernel: Kernel size over frames, rows and columns.
        prefix: Number of tokens before the patches.
    """

    def __init__(self, width: int, hidden: int, kernel: tuple[int, int, int], prefix: int) -> None:
        super().__init__()
        self.prefix = prefix
        self.down = nn.Linear(width, hidden)
        frames, rows, columns = kernel
        padding = (frames // 2, rows // 2, columns // 2)
        self.conv = nn.Conv3d(hidden, hidden, kernel, padding=padding, groups=hidden)
        self.up = nn.Linear(hidden, width)
        # The adapter is the identity at initialisation: convolution and last bias give zero.
        for parameter in (self.conv.weight, self.conv.bias, self.up.bias):
            nn.init.zeros_(parameter)  # type: ignore[arg-type]

    def forward(self, tokens: Float[Tensor, "V T L C"]) -> Float[Tensor, "V T L C"]:
        """Tokens with the output of the convolution added to the patches."""
        prefix, patches = tokens[:, :, : self.prefix], tokens[:, :, self.prefix :]
        side = round(patches.shape[2] ** 0.5)
        grid = self.down(patches).unflatten(2, (side, side))
        mixed = self.conv(grid.permute(0, 4, 1, 2, 3)).permute(0, 2, 3, 4, 1)
        return torch.cat([prefix, patches + self.up(mixed.flatten(2, 3))], dim=2)
