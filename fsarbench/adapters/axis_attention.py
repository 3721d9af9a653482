"""A block's frozen attention, used along other axes than the tokens of a frame."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.interfaces import Block

VIDEOS, TIME, SPACE = 0, 1, 2


def attend_along(
    axis: int, normed: Float[Tensor, "V T L C"], block: Block
) -> Float[Tensor, "V T L C"]:
    """The attention's output at every token, from the tokens that differ from it in one axis only.

    Args:
        axis: `VIDEOS`, `TIME` or `SPACE`.
        normed: Normalised tokens.
        block: Whose attention it is.
    """
    return block.attend(normed.transpose(axis, SPACE)).transpose(axis, SPACE)
