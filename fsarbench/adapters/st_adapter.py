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
    """A bottleneck with a depth-wise space-time convolution before attention and / or MLP (Eq. 5).

    Args:
        width: Token width C, offered by assembly.
        prefix: Tokens before the patches (class token, registers), offered by assembly.
        bottleneck: Channels of the convolution; None is half the width, 384 on ViT-B.
        kernel: Extent of the convolution over frames, rows and columns; odd numbers.
        before: Where it stands in the block.
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

        def module(place: str) -> nn.Module:
            here = before in (place, "both")
            return SpaceTimeBottleneck(width, hidden, kernel, prefix) if here else nn.Identity()

        self.before_attention, self.before_mlp = module("attention"), module("mlp")

    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """The block with the adapter in its path."""
        del text
        tokens = self.before_attention(tokens)
        tokens = tokens + block.attend(block.norm1(tokens))
        tokens = self.before_mlp(tokens)
        return tokens + block.mlp(block.norm2(tokens))


class SpaceTimeBottleneck(nn.Module):
    """X + DWConv3D(X W_down) W_up on the patch tokens; the prefix tokens pass.

    Args:
        width: Token width C.
        hidden: Channels of the convolution.
        kernel: Extent over frames, rows and columns.
        prefix: Tokens before the patches.
    """

    def __init__(self, width: int, hidden: int, kernel: tuple[int, int, int], prefix: int) -> None:
        super().__init__()
        self.prefix = prefix
        self.down = nn.Linear(width, hidden)
        frames, rows, columns = kernel
        padding = (frames // 2, rows // 2, columns // 2)
        self.conv = nn.Conv3d(hidden, hidden, kernel, padding=padding, groups=hidden)
        self.up = nn.Linear(hidden, width)
        # The plain block at the start: the convolution and the last bias give zero.
        for parameter in (self.conv.weight, self.conv.bias, self.up.bias):
            nn.init.zeros_(parameter)  # type: ignore[arg-type]

    def forward(self, tokens: Float[Tensor, "V T L C"]) -> Float[Tensor, "V T L C"]:
        """The tokens with what the convolution adds to the patches."""
        prefix, patches = tokens[:, :, : self.prefix], tokens[:, :, self.prefix :]
        side = round(patches.shape[2] ** 0.5)
        grid = self.down(patches).unflatten(2, (side, side))
        mixed = self.conv(grid.permute(0, 4, 1, 2, 3)).permute(0, 2, 3, 4, 1)
        return torch.cat([prefix, patches + self.up(mixed.flatten(2, 3))], dim=2)
