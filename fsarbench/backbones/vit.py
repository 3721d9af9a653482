"""The walk of adapters over a frozen vision transformer, whichever library the trunk is from."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from jaxtyping import Float, Num
from torch import Tensor, nn

from fsarbench.backbones.base import Trunk, TrunkBackbone
from fsarbench.backbones.block_loop import Walk
from fsarbench.interfaces import Adapter, Block


@runtime_checkable
class TokenTrunk(Trunk, Protocol):
    """A vision transformer taken apart into what comes before, in and after its blocks.

    Attributes:
        prefix: Tokens before the patches.
        mlp_width: The inner width of the blocks' MLPs; 0 if these are no two plain layers.
        blocks: Views of the blocks.
    """

    prefix: int
    mlp_width: int
    blocks: Sequence[Block]

    def embed(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B L C"]:
        """The tokens at the entry of the first block."""

    def pool(self, tokens: Float[Tensor, "B L C"]) -> Float[Tensor, "B D"]:
        """One feature an image from the tokens after the last block."""


class ViT(TrunkBackbone):
    """A frozen vision transformer and one adapter a block.

    Args:
        trunk: The transformer; it is also a `torch.nn.Module`.

    Attributes:
        walk: How the blocks are walked; another walk gives the same features at another cost.
    """

    walk = Walk()

    def __init__(self, trunk: TokenTrunk) -> None:
        super().__init__(trunk)
        self.prefix, self.mlp_width = trunk.prefix, trunk.mlp_width

    def adapt(self, adapters: Sequence[Adapter]) -> None:
        """Put one adapter on each block, and tune what they ask for.

        Raises:
            ValueError: There are more or fewer adapters than blocks.
        """
        entries = (a.entry() for a in adapters)
        self.entry = next((entry for entry in entries if entry is not None), nn.Identity())
        super().adapt(adapters)

    def forward(
        self, frames: Num[Tensor, "V T 3 H W"], text: Float[Tensor, "V E"] | None = None
    ) -> Float[Tensor, "V T D"]:
        """Features of every frame; see `fsarbench.interfaces.Backbone.forward`."""
        # No name for the images: they would live as long as the walk lasts.
        tokens = self.trunk.embed(self.normalise(frames.flatten(0, 1)))
        tokens = tokens.unflatten(0, frames.shape[:2])
        pairs = list(zip(self.adapters, self.trunk.blocks, strict=True))
        tokens = self.walk(pairs, self.entry(tokens), text)
        return self.trunk.pool(tokens.flatten(0, 1)).unflatten(0, frames.shape[:2])
