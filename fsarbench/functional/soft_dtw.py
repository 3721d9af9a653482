"""Soft dynamic time warping (Cuturi and Blondel, ICML 2017)."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

# Score of unreachable cells: its exponential is 0 relative to any path's, and its gradient is 0,
# not NaN.
UNREACHABLE = -1e30


def soft_dtw(distances: Float[Tensor, "*B T S"], temperature: float) -> Float[Tensor, "*B"]:
    """Smoothed cost of the cheapest path from the first pair of frames to the last.

    The cost of a cell is its distance plus the smoothed minimum

        -temperature * log(sum(exp(-cost / temperature)))

    over the cells above, to the left, and diagonally above to the left.

    Args:
        distances: Distances between frames, rows and columns in temporal order.
        temperature: Smoothness of the minimum, in the unit of the distances; above 0.

    Returns:
        Cost at the last cell, in the unit of the distances, not divided by the path length.

    Example:
        >>> soft_dtw(torch.tensor([[1.0, 5.0], [5.0, 2.0]]), temperature=0.01)
        tensor(3.)
    """
    if distances.dtype in (torch.float16, torch.bfloat16):
        # A sum over frames divided by a small temperature needs the precision of fp32.
        distances = distances.float()
    first, *remaining = _diagonals(distances / temperature).unbind(0)
    above = torch.full_like(first[:1], UNREACHABLE)
    previous, last = torch.full_like(first, UNREACHABLE), -first
    for cost in remaining:
        straight = torch.logaddexp(last, torch.cat([above, last[:-1]]))
        diagonal = torch.cat([above, previous[:-1]])
        previous, last = last, torch.logaddexp(straight, diagonal) - cost
    return -temperature * last[-1]


def _diagonals(cost: Float[Tensor, "*B T S"]) -> Float[Tensor, "diagonals T *B"]:
    """Anti-diagonals of the matrix: cells whose row and column index sum to 0, 1, ...

    Cells outside the matrix get a cost so high that no path enters them.
    """
    rows, columns = cost.shape[-2:]
    padded = F.pad(cost, (0, rows), value=-UNREACHABLE)
    # Cutting the flattened matrix into rows that are one cell shorter shifts each row by one more.
    skewed = padded.flatten(-2)[..., :-rows].unflatten(-1, (rows, columns + rows - 1))
    return skewed.permute(-1, -2, *range(cost.ndim - 2)).contiguous()
