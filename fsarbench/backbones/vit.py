"""The walk of adapters over a frozen vision transformer, whichever library the trunk is from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Num
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from fsarbench.backbones.base import Trunk, TrunkBackbone
from fsarbench.interfaces import Adapter, Block

Pair = tuple[nn.Module, Block]
Step = Callable[[nn.Module, Block, Tensor, Tensor | None], Tensor]


@dataclass(frozen=True)
class Walk:
    """How the blocks are walked.

    Attributes:
        recompute: Blocks whose activations are computed once more, together, in the backward pass
            (Chen et al., arXiv 1604.06174): only the tokens between such groups are kept. 0 keeps
            the activations of all blocks.
        compiler: The backend of `torch.compile` for a block with its adapter; empty for none. All
            blocks share one compiled program for each kind of input.
    """

    recompute: int = 0
    compiler: str = ""

    def __call__(
        self,
        pairs: Sequence[Pair],
        tokens: Float[Tensor, "V T L C"],
        text: Float[Tensor, "V E"] | None,
    ) -> Float[Tensor, "V T M C"]:
        """The tokens after all blocks; an adapter may have changed their number.

        Args:
            pairs: The adapter and the block of each step.
            tokens: What enters the first block.
            text: The class's text feature of each support video, None for queries.
        """
        step = compiled(self.compiler) if self.compiler else adapted
        if not (self.recompute and torch.is_grad_enabled()):
            return steps(step, pairs, tokens, text)
        for first in range(0, len(pairs), self.recompute):
            group = pairs[first : first + self.recompute]
            tokens = checkpoint(steps, step, group, tokens, text, use_reentrant=False)
        return tokens


def steps(step: Step, pairs: Sequence[Pair], tokens: Tensor, text: Tensor | None) -> Tensor:
    """Some blocks after one another."""
    for adapter, block in pairs:
        tokens = step(adapter, block, tokens, text)
    return tokens


def adapted(adapter: nn.Module, block: Block, tokens: Tensor, text: Tensor | None) -> Tensor:
    """One block with its adapter."""
    return adapter(tokens, block, text)


@cache
def compiled(compiler: str) -> Any:
    """`adapted`, compiled; made once, so that blocks and models share what was compiled."""
    return torch.compile(adapted, backend=compiler)


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
