"""Frozen self-attention of a block, applied along the axis of videos, frames or tokens."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.interfaces import Block

VIDEOS, TIME, SPACE = 0, 1, 2


def attend_along(
    axis: int, normed: Float[Tensor, "V T L C"], block: Block
) -> Float[Tensor, "V T L C"]:
    """Self-attention of the tokens along one axis.

    Args:
        axis: `VIDEOS`, `TIME` or `SPACE`.
        normed: Normalised tokens.
        block: Block whose attention is used.
    """
    return block.attend(normed.transpose(axis, SPACE)).transpose(axis, SPACE)
