"""The walk of adapters over a frozen vision transformer, whichever library the trunk is from."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Num
from torch import Tensor, nn

from fsarbench.adapters.frozen import Frozen
from fsarbench.interfaces import Adapter, Backbone, Block, TrunkPart


@runtime_checkable
class Trunk(Protocol):
    """A vision transformer taken apart into what comes before, in and after its blocks.

    Attributes:
        width: Token width C.
        dim: Feature width D.
        image_size: Pixels of a side.
        prefix: Tokens before the patches.
        mean: What is subtracted from each colour in [0, 1].
        std: What the difference is divided by.
        blocks: Views of the blocks.
    """

    width: int
    dim: int
    image_size: int
    prefix: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    blocks: Sequence[Block]

    def embed(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B L C"]:
        """The tokens at the entry of the first block."""

    def pool(self, tokens: Float[Tensor, "B L C"]) -> Float[Tensor, "B D"]:
        """One feature an image from the tokens after the last block."""

    def locate(self, name: str) -> tuple[TrunkPart, int]:
        """The part that a parameter belongs to, and the block's index (0 outside the blocks)."""


class ViT(Backbone):
    """A frozen vision transformer and one adapter a block.

    Args:
        trunk: The transformer; it is also a `torch.nn.Module`.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, trunk: Trunk) -> None:
        super().__init__()
        assert isinstance(trunk, nn.Module)
        self.trunk = trunk
        self.width, self.dim = trunk.width, trunk.dim
        self.image_size, self.prefix = trunk.image_size, trunk.prefix
        self.depth = len(trunk.blocks)
        self.register_buffer("mean", torch.tensor(trunk.mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(trunk.std).view(3, 1, 1), persistent=False)
        self.adapt([Frozen() for _ in trunk.blocks])

    def adapt(self, adapters: Sequence[Adapter]) -> None:
        """Put one adapter on each block, and tune what they ask for.

        Raises:
            ValueError: There are more or fewer adapters than blocks.
        """
        if len(adapters) != self.depth:
            raise ValueError(f"{len(adapters)} adapters for {self.depth} blocks.")
        self.adapters = nn.ModuleList(adapters)
        entries = (a.entry() for a in adapters)
        self.entry = next((entry for entry in entries if entry is not None), nn.Identity())
        for name, parameter in self.trunk.named_parameters():
            part, index = self.trunk.locate(name)
            asked = [adapters[index]] if part == "block" else adapters
            parameter.requires_grad_(any(a.tunes(part, name) for a in asked))
        self.joint = any(a.joint for a in adapters)
        self.uses_text = any(a.uses_text for a in adapters)
        self.train(self.training)

    def train(self, mode: bool = True) -> "ViT":
        """As torch's; a wholly frozen trunk stays in evaluation mode, so without dropout."""
        super().train(mode)
        tuned = any(p.requires_grad for p in self.trunk.parameters())
        self.trunk.train(mode and tuned)
        return self

    def forward(
        self, frames: Num[Tensor, "V T 3 H W"], text: Float[Tensor, "V E"] | None = None
    ) -> Float[Tensor, "V T D"]:
        """Features of every frame; see `fsarbench.interfaces.Backbone.forward`."""
        images = self.normalise(frames.flatten(0, 1))
        tokens = self.trunk.embed(images).unflatten(0, frames.shape[:2])
        tokens = self.entry(tokens)
        for block, adapter in zip(self.trunk.blocks, self.adapters, strict=True):
            tokens = adapter(tokens, block, text)
        return self.trunk.pool(tokens.flatten(0, 1)).unflatten(0, frames.shape[:2])

    def normalise(self, images: Num[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
        """The trunk's own mean and deviation, on the device of the frames."""
        scaled = images.float() / 255 if images.dtype == torch.uint8 else images
        return (scaled - self.mean) / self.std
