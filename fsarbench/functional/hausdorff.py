"""Hausdorff distances between the frame sets of two videos."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor


def mean_hausdorff(distances: Float[Tensor, "*B T S"]) -> Float[Tensor, "*B"]:
    """Mean over rows of the minimum distance, plus mean over columns of the minimum distance.

    Example:
        >>> mean_hausdorff(torch.tensor([[0.0, 2.0, 4.0], [2.0, 1.0, 1.0]]))
        tensor(1.1667)
    """
    cells = _frames_first(distances)
    return cells.amin(0).mean(0) + cells.amin(1).mean(0)


def sum_hausdorff(distances: Float[Tensor, "*B T S"]) -> Float[Tensor, "*B"]:
    """Sum over rows of the minimum distance, plus sum over columns of the minimum distance."""
    cells = _frames_first(distances)
    return cells.amin(0).sum(0) + cells.amin(1).sum(0)


def _frames_first(distances: Float[Tensor, "*B T S"]) -> Float[Tensor, "S T *B"]:
    """Frames as the leading axes, so that a minimum over them compares long vectors."""
    return distances.movedim((-1, -2), (0, 1)).contiguous()


def nearest(
    distances: Float[Tensor, "*B T S"], direction: Literal["both", "query", "support"] = "both"
) -> Float[Tensor, "*B T S"]:
    """Nearest neighbours: 1 if row and column are mutually nearest, 0.5 if only one is, else 0.

    Args:
        distances: Distances between the frames of a query (rows) and of the support (columns).
        direction: Whether rows and columns look for their nearest, or only one of them; then its
            nearest has the weight 1.

    Example:
        >>> nearest(torch.tensor([[0.0, 2.0, 4.0], [2.0, 1.0, 1.5]]))
        tensor([[1.0000, 0.0000, 0.0000],
                [0.0000, 1.0000, 0.5000]])
    """
    zeros = torch.zeros_like(distances)
    rows = zeros.scatter(-1, distances.argmin(-1, keepdim=True), 1.0)
    columns = zeros.scatter(-2, distances.argmin(-2, keepdim=True), 1.0)
    if direction == "both":
        return (rows + columns) / 2
    return rows if direction == "query" else columns
