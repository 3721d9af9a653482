"""Ordered temporal alignment: OTAM's smoothed dynamic time warping (Cao et al., CVPR 2020)."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.functional.otam_sums import Borders, otam_by_sums, sums_fit
from fsarbench.functional.pairwise import derivative


def occupancy(
    cost: Callable[[Float[Tensor, "*B T S"]], Float[Tensor, "*B"]],
    distances: Float[Tensor, "*B T S"],
) -> Float[Tensor, "*B T S"]:
    """Weighted share of the alignment paths through each cell.

    The smoothed minimum over paths is a log-sum-exp of their costs. Its derivative with respect to
    one distance is the share of the paths through that cell, weighted as in the smoothed minimum
    (Cuturi and Blondel, ICML 2017).

    Args:
        cost: Smoothed alignment cost, such as `fsarbench.functional.otam.otam`.
        distances: Distances between frames.

    Example:
        >>> from fsarbench.functional.otam import otam
        >>> visits = occupancy(lambda d: otam(d, 0.01), 1 - torch.eye(3))
        >>> visits.argmax(0)  # the frame that each frame of the other video is aligned with
        tensor([0, 1, 2])
    """
    return derivative(cost, distances)


def otam(
    distances: Float[Tensor, "*B T S"],
    temperature: float,
    borders: Borders = "field",
    largest: float = math.inf,
) -> Float[Tensor, "*B"]:
    """Smoothed cost of the cheapest ordered alignment of T frames with S frames.

    A column of zero distances is added on both sides, so that an alignment may start and end at any
    of the T frames. The cost of cell (l, m) is its distance plus the smoothed minimum

        -temperature * log(sum(exp(-cost / temperature)))

    over its predecessors: (l-1, m-1) and (l, m-1), and at the borders also (l-1, m). The first row
    is a plain sum.

    Args:
        distances: Distances between frames, rows and columns in temporal order.
        temperature: Smoothness of the minimum, in the unit of the distances; above 0.
        borders: Columns in which an alignment may move down: `paper` only in the two padded columns
            (at no cost), `field` also in the first real column, as in the published code of several
            methods.
        largest: Largest distance that can occur, such as 2 for cosine distances. Where it excludes
            an underflow, the same cost is computed ten times faster, as a sum over paths.

    Returns:
        Cost at the last cell, in the unit of the distances, not divided by the path length.

    Example:
        >>> otam(1 - torch.eye(3), temperature=0.01) < 0.01  # free along the diagonal
        tensor(True)
    """
    distances = in_fp32(distances)
    if sums_fit(distances, temperature, largest):
        return otam_by_sums(distances, temperature, borders, both_ways=False)
    # Columns first, rows second: each step below works on one contiguous block.
    columns = (distances / temperature).permute(-1, -2, *range(distances.ndim - 2)).contiguous()
    remaining = list(columns.unbind(0))
    # All costs of the padded first column are 0.
    score = _first_column(remaining.pop(0)) if borders == "field" else torch.zeros_like(columns[0])
    for column in remaining:
        merged = torch.logaddexp(score[1:], score[:-1])
        score = torch.cat([score[:1], merged]) - column
    # The padded last column is free. Each path enters it once, in the row of its last real cell or
    # (except for the last row) in the row below.
    return -temperature * torch.cat([score, score[:-1]]).logsumexp(0)


def in_fp32(distances: Float[Tensor, "*B T S"]) -> Float[Tensor, "*B T S"]:
    """Distances in fp32 at least: a sum over frames divided by a small temperature needs it."""
    return distances.float() if distances.dtype in (torch.float16, torch.bfloat16) else distances


def otam_both_ways(
    distances: Float[Tensor, "*B T S"],
    temperature: float,
    borders: Borders = "field",
    largest: float = math.inf,
) -> Float[Tensor, "*B"]:
    """Cost of aligning rows to columns plus cost of aligning columns to rows."""
    distances = in_fp32(distances)
    if sums_fit(distances, temperature, largest):
        return otam_by_sums(distances, temperature, borders, both_ways=True)
    transposed = distances.transpose(-1, -2)
    if distances.shape[-1] == distances.shape[-2]:
        return otam(torch.stack([distances, transposed]), temperature, borders).sum(0)
    return otam(distances, temperature, borders) + otam(transposed, temperature, borders)


def _first_column(cost: Float[Tensor, "T *B"]) -> Float[Tensor, "T *B"]:
    """Scores (negative costs over temperature) of the first real column, from top to bottom."""
    # Two predecessors are in the padded column, whose cost is 0 in every row.
    padding = torch.full_like(cost[0], math.log(2))
    scores = [-cost[0]]
    for row in cost[1:].unbind(0):
        scores.append(torch.logaddexp(scores[-1], padding) - row)
    return torch.stack(scores)
