"""Two videos as sets of frames: each frame looks for its nearest (Hausdorff metrics)."""

from jaxtyping import Float
from torch import Tensor


def mean_hausdorff(distances: Float[Tensor, "*B T S"]) -> Float[Tensor, "*B"]:
    """The mean over rows of the least distance, plus the mean over columns of theirs.

    Example:
        >>> import torch
        >>> mean_hausdorff(torch.tensor([[0.0, 2.0, 4.0], [2.0, 1.0, 1.0]]))
        tensor(1.1667)
    """
    return distances.amin(-1).mean(-1) + distances.amin(-2).mean(-1)


def sum_hausdorff(distances: Float[Tensor, "*B T S"]) -> Float[Tensor, "*B"]:
    """The sum over rows of the least distance, plus the sum over columns of theirs."""
    return distances.amin(-1).sum(-1) + distances.amin(-2).sum(-1)
