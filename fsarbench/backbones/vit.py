"""Frozen vision transformer with one adapter per block, for trunks of any library.

Blocks of a library run with modified weights (`run_with`) without being changed or copied.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Num
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint

from fsarbench.backbones.base import Trunk, TrunkBackbone
from fsarbench.episode import VideoFeatures
from fsarbench.interfaces import Adapter, Block, Projection

Pair = tuple[nn.Module, Block]
Step = Callable[[nn.Module, Block, Tensor, Tensor | None], Tensor]


@dataclass(frozen=True)
class BlockLoop:
    """Loop over the adapted blocks, with activation checkpointing and `torch.compile`.

    Attributes:
        recompute: Blocks per group of activation checkpointing (Chen et al., arXiv 1604.06174):
            only the tokens between groups are kept, and the other activations are recomputed in the
            backward pass. 0 turns checkpointing off.
        compiler: Backend of `torch.compile` for a block with its adapter; empty turns compilation
            off. All blocks share one compiled function per input shape and type.
    """

    recompute: int = 0
    compiler: str = ""

    def __call__(
        self,
        pairs: Sequence[Pair],
        tokens: Float[Tensor, "V T L C"],
        text: Float[Tensor, "V E"] | None,
    ) -> Float[Tensor, "V T M C"]:
        """Tokens after all blocks; adapters may change their number.

        Args:
            pairs: Adapter and block of each step.
            tokens: Input of the first block.
            text: Text feature of each support video's class; None for queries.
        """
        step = compiled(self.compiler) if self.compiler else adapted
        if not (self.recompute and torch.is_grad_enabled()):
            return steps(step, pairs, tokens, text)
        for first in range(0, len(pairs), self.recompute):
            group = pairs[first : first + self.recompute]
            tokens = checkpoint(steps, step, group, tokens, text, use_reentrant=False)
        return tokens


def steps(step: Step, pairs: Sequence[Pair], tokens: Tensor, text: Tensor | None) -> Tensor:
    """Run consecutive adapted blocks."""
    for adapter, block in pairs:
        tokens = step(adapter, block, tokens, text)
    return tokens


def adapted(adapter: nn.Module, block: Block, tokens: Tensor, text: Tensor | None) -> Tensor:
    """Run one block with its adapter."""
    return adapter(tokens, block, text)


@cache
def compiled(compiler: str) -> Any:
    """Compiled `adapted`, cached so that all blocks and models share it."""
    return torch.compile(adapted, backend=compiler)


@runtime_checkable
class TokenTrunk(Trunk, Protocol):
    """Vision transformer, split into embedding, blocks and pooling.

    Attributes:
        prefix: Number of tokens before the patches.
        grid: Patches per side of an image.
        mlp_width: Hidden width of the blocks' MLPs; 0 if an MLP is not two plain linear layers.
        blocks: Views of the blocks.
    """

    prefix: int
    grid: int
    mlp_width: int
    blocks: Sequence[Block]

    def embed(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B L C"]:
        """Tokens before the first block."""

    def embed_before_norm(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B L C"]:
        """Tokens before the norm in front of the first block; those of `embed` without a norm."""

    def norm_before_blocks(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Norm in front of the first block (CLIP's), or the identity."""

    def pool(self, tokens: Float[Tensor, "B L C"]) -> Float[Tensor, "B D"]:
        """One feature per image from the tokens after the last block."""


class ViT(TrunkBackbone):
    """Frozen vision transformer with one adapter per block.

    Args:
        trunk: Vision transformer; it is also a `torch.nn.Module`.

    Attributes:
        block_loop: Loop over the blocks; its options change speed and memory but not the features.
    """

    gives_tokens = True
    block_loop = BlockLoop()

    def __init__(self, trunk: TokenTrunk) -> None:
        super().__init__(trunk)
        self.prefix, self.grid, self.mlp_width = trunk.prefix, trunk.grid, trunk.mlp_width

    def adapt(self, adapters: Sequence[Adapter]) -> None:
        """Attach one adapter to each block and make the trunk parameters they name trainable.

        Raises:
            ValueError: The number of adapters differs from the number of blocks.
        """
        entries = (a.entry() for a in adapters)
        self.entry = next((entry for entry in entries if entry is not None), nn.Identity())
        super().adapt(adapters)

    def forward(
        self,
        frames: Num[Tensor, "V T 3 H W"],
        text: Float[Tensor, "V E"] | None = None,
        levels: Sequence[int] = (),
    ) -> Float[Tensor, "V T D"] | VideoFeatures:
        """Features of every frame, and tokens after the blocks `levels` if there are any.

        See `fsarbench.interfaces.Backbone.forward`.
        """
        embed = self.trunk.embed_before_norm if self.entry_before_norm else self.trunk.embed
        # The images have no variable, which would keep them in memory during the loop.
        tokens = embed(self.normalise(frames.flatten(0, 1)))
        tokens = tokens.unflatten(0, frames.shape[:2])
        pairs = list(zip(self.adapters, self.trunk.blocks, strict=True))
        tokens, kept, first = self._enter(tokens), {}, 0
        for level in levels:  # -1 keeps the tokens before the first block
            kept[level] = tokens = self.block_loop(pairs[first : level + 1], tokens, text)
            first = level + 1
        tokens = self.block_loop(pairs[first:], tokens, text)
        features = self.trunk.pool(tokens.flatten(0, 1)).unflatten(0, frames.shape[:2])
        return VideoFeatures(features, kept) if levels else features

    @property
    def entry_before_norm(self) -> bool:
        """Whether the entry module comes before the norm in front of the first block."""
        return bool(getattr(self.entry, "before_norm", False))

    def _enter(self, tokens: Float[Tensor, "V T L C"]) -> Float[Tensor, "V T L C"]:
        tokens = self.entry(tokens)
        return self.trunk.norm_before_blocks(tokens) if self.entry_before_norm else tokens


FUSED: tuple[Projection, ...] = ("q", "k", "v")
UNCHANGED: Mapping[Projection, Tensor] = MappingProxyType({})
Weights = Mapping[str, Tensor]


def run_with(module: nn.Module, weights: Weights, *inputs: Tensor, **options: Any) -> Any:
    """Forward of the module with the named weights replaced."""
    if not weights:
        return module(*inputs, **options)
    return functional_call(module, dict(weights), inputs, options)


def merged_weights(
    module: nn.Module, changes: Mapping[Projection, Tensor], names: Mapping[Projection, str]
) -> dict[str, Tensor]:
    """Modified weights of a module by parameter name.

    Args:
        module: Attention or MLP.
        changes: Weight delta of each projection, "out in".
        names: Parameter name of each projection; the parameter of stacked query, key and value is
            listed under `q`.
    """
    parameters = dict(module.named_parameters())
    merged = {}
    for projection, name in names.items():
        weight = parameters[name]
        change = stacked(changes, weight) if projection == "q" else changes.get(projection)
        if change is not None:
            merged[name] = weight + change
    return merged


def stacked(changes: Mapping[Projection, Tensor], weight: Tensor) -> Tensor | None:
    """Stacked weight deltas of query, key and value, with zeros for projections without one."""
    if not any(projection in changes for projection in FUSED):
        return None
    zeros = weight.new_zeros(weight.shape[0] // 3, weight.shape[1])
    return torch.cat([changes.get(projection, zeros) for projection in FUSED])
