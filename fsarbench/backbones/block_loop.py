"""The walk over the blocks of a vision transformer: what of it is kept, and whether it is compiled.

The features and the gradients are those of the plain walk; only time and memory differ.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from fsarbench.interfaces import Block

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
