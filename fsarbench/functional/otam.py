"""Ordered temporal alignment: OTAM's smoothed dynamic time warping (Cao et al., CVPR 2020)."""

import math
from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor


def occupancy(
    cost: Callable[[Float[Tensor, "*B T S"]], Float[Tensor, "*B"]],
    distances: Float[Tensor, "*B T S"],
) -> Float[Tensor, "*B T S"]:
    """How often a path through the distances visits each cell, on the average over paths.

    A smoothed minimum over paths is a log of a sum of exponentials of their costs; its derivative
    by one distance is the share of the paths that go through that cell, each path with the weight
    that it has in the smoothed minimum (Cuturi and Blondel, ICML 2017).

    Args:
        cost: A smoothed alignment, such as `fsarbench.functional.otam.otam`.
        distances: Distances between frames.

    Example:
        >>> from fsarbench.functional.otam import otam
        >>> visits = occupancy(lambda d: otam(d, 0.01), 1 - torch.eye(3))
        >>> visits.argmax(0)  # the frame that each frame of the other video is aligned with
        tensor([0, 1, 2])
    """
    with torch.enable_grad():
        cells = distances.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(cost(cells).sum(), cells)
    return gradient


Borders = Literal["field", "paper"]


def otam(
    distances: Float[Tensor, "*B T S"], temperature: float, borders: Borders = "field"
) -> Float[Tensor, "*B"]:
    """The smoothed cost of the cheapest ordered alignment of T frames with S frames.

    With a column of zero distances put on either side, so that an alignment may start and end at
    any of the T frames, the cost of cell (l, m) is its distance plus the smoothed minimum

        -temperature * log(sum(exp(-cost / temperature)))

    over its predecessors: (l-1, m-1) and (l, m-1), and at the borders also (l-1, m). The first row
    is a plain sum.

    Args:
        distances: Distances between frames, rows and columns in the order of time.
        temperature: How smooth the minimum is, in the unit of the distances; above 0.
        borders: Where an alignment may go down a column: `paper` in the two padded columns only,
            where it is free, `field` also in the first real one, as in the code that the field
            shares.

    Returns:
        The cost at the last cell, in the unit of the distances; not divided by the path's length.

    Example:
        >>> otam(1 - torch.eye(3), temperature=0.01) < 0.01  # free along the diagonal
        tensor(True)
    """
    if distances.dtype in (torch.float16, torch.bfloat16):
        distances = distances.float()  # a sum over frames divided by a small temperature
    # Columns first, rows second: every step below then works on whole contiguous blocks.
    columns = (distances / temperature).permute(-1, -2, *range(distances.ndim - 2)).contiguous()
    others = list(columns.unbind(0))
    # In the padded column in front every cost is 0.
    score = _first_column(others.pop(0)) if borders == "field" else torch.zeros_like(columns[0])
    for column in others:
        entered = torch.logaddexp(score[1:], score[:-1])
        score = torch.cat([score[:1], entered]) - column
    # The last column costs nothing itself. Unrolled, every path through it leaves the real columns
    # once: straight into its row, or (not from the last row) down to the row below.
    return -temperature * torch.cat([score, score[:-1]]).logsumexp(0)


def otam_both_ways(
    distances: Float[Tensor, "*B T S"], temperature: float, borders: Borders = "field"
) -> Float[Tensor, "*B"]:
    """The cost of aligning the rows to the columns plus that of the columns to the rows."""
    transposed = distances.transpose(-1, -2)
    if distances.shape[-1] == distances.shape[-2]:
        return otam(torch.stack([distances, transposed]), temperature, borders).sum(0)
    return otam(distances, temperature, borders) + otam(transposed, temperature, borders)


def _first_column(cost: Float[Tensor, "T *B"]) -> Float[Tensor, "T *B"]:
    """Scores (negative costs over temperature) of the first real column, from top to bottom."""
    # Two predecessors lie in the padded column, whose cost is 0 in every row.
    padding = torch.full_like(cost[0], math.log(2))
    scores = [-cost[0]]
    for here in cost[1:].unbind(0):
        scores.append(torch.logaddexp(scores[-1], padding) - here)
    return torch.stack(scores)
