"""Soft dynamic time warping (Cuturi and Blondel, ICML 2017)."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

# A score that no path has: exp of it is 0 next to any other, and its gradient is 0, not NaN.
NEVER = -1e30


def soft_dtw(distances: Float[Tensor, "*B T S"], temperature: float) -> Float[Tensor, "*B"]:
    """The smoothed cost of the cheapest path from the first pair of frames to the last.

    The cost of a cell is its distance plus the smoothed minimum

        -temperature * log(sum(exp(-cost / temperature)))

    over the cells above, to the left, and above to the left.

    Args:
        distances: Distances between frames, rows and columns in the order of time.
        temperature: How smooth the minimum is, in the unit of the distances; above 0.

    Returns:
        The cost at the last cell, in the unit of the distances; not divided by the path's length.

    Example:
        >>> soft_dtw(torch.tensor([[1.0, 5.0], [5.0, 2.0]]), temperature=0.01)
        tensor(3.)
    """
    if distances.dtype in (torch.float16, torch.bfloat16):
        distances = distances.float()  # a sum over frames divided by a small temperature
    first, *others = _diagonals(distances / temperature).unbind(0)
    above = torch.full_like(first[:1], NEVER)
    before, last = torch.full_like(first, NEVER), -first
    for cost in others:
        stepped = torch.logaddexp(last, torch.cat([above, last[:-1]]))
        crossed = torch.cat([above, before[:-1]])
        before, last = last, torch.logaddexp(stepped, crossed) - cost
    return -temperature * last[-1]


def _diagonals(cost: Float[Tensor, "*B T S"]) -> Float[Tensor, "diagonals T *B"]:
    """The cells whose row and column add up to 0, 1, ...; each row comes one place later.

    Cells outside the matrix cost so much that no path enters them.
    """
    rows, columns = cost.shape[-2:]
    apart = F.pad(cost, (0, rows), value=-NEVER)
    # Rows of one cell less than they have shift by one more each.
    skewed = apart.flatten(-2)[..., :-rows].unflatten(-1, (rows, columns + rows - 1))
    return skewed.permute(-1, -2, *range(cost.ndim - 2)).contiguous()
