"""OTAM as a sum over paths: the smoothed minimum without a logarithm per cell.

The smoothed cost of all alignments is -temperature * log P, where P is the sum over all paths of
the product of their cells' weights exp(-distance / temperature). P follows from one addition and
one multiplication per cell (the forward recursion of hidden Markov models), where the recursion of
the costs takes a logarithm and exponentials in every cell. P is a product of small numbers, so it
is computed in fp64 and only where the largest distance excludes an underflow (`sums_fit`).

Below, w is "T S *B": rows and columns first, so that each step is one operation on long vectors.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

Borders = Literal["field", "paper"]

# Logarithm of the smallest normal number in fp64, with a margin.
LARGEST_EXPONENT = 690.0


def sums_fit(distances: Float[Tensor, "*B T S"], temperature: float, largest: float) -> bool:
    """Whether no path's weight leaves the range of fp64.

    Args:
        distances: Distances; only their shape and device are read.
        temperature: Smoothness of the minimum.
        largest: Largest distance that can occur.

    Example:
        >>> sums_fit(torch.empty(8, 8, device="meta"), temperature=0.1, largest=2.0)
        True
        >>> sums_fit(torch.empty(8, 8, device="meta"), temperature=0.01, largest=2.0)
        False
    """
    cells = sum(distances.shape[-2:]) - 1  # of the longest path
    return distances.device.type != "mps" and cells * largest / temperature < LARGEST_EXPONENT


def otam_by_sums(
    distances: Float[Tensor, "*B T S"], temperature: float, borders: Borders, both_ways: bool
) -> Float[Tensor, "*B"]:
    """`fsarbench.functional.otam.otam`, or the sum of both directions, where `sums_fit`."""
    if torch.is_grad_enabled():
        cost: Tensor = PathSums.apply(distances, temperature, borders, both_ways)
        return cost
    return _cost(distances, temperature, borders, both_ways)


class PathSums(torch.autograd.Function):
    """Costs by sums over paths; the gradient is the share of the paths through each cell.

    With the sums A over the paths from the start to a cell and R over those from a cell to the end,
    both with the cell's own weight w, the derivative of the cost by its distance is A R / (w P).
    Only the distances are stored; A and R are computed again.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(distances: Tensor, temperature: float, borders: Borders, both: bool) -> Tensor:
        """Costs."""
        return _cost(distances, temperature, borders, both)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Store the distances."""
        distances, *ctx.options = inputs
        ctx.save_for_backward(distances)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        """Shares of the paths times the gradient of the costs."""
        (distances,) = ctx.saved_tensors
        temperature, borders, both = ctx.options
        weights = _weights(distances, temperature)
        shares = _shares(weights, borders)
        if both:
            shares = shares + _shares(weights.transpose(0, 1), borders).transpose(0, 1)
        cells = shares.to(distances.dtype) * gradient
        return cells.movedim((0, 1), (-2, -1)), None, None, None


def _cost(
    distances: Float[Tensor, "*B T S"], temperature: float, borders: Borders, both: bool
) -> Float[Tensor, "*B"]:
    weights = _weights(distances, temperature)
    # A cost of both ways is the sum of two logarithms: the product might underflow.
    total = _total(_last(_from_start(weights, borders))).log()
    if both:
        total = total + _total(_last(_from_start(weights.transpose(0, 1), borders))).log()
    return (-temperature * total).to(distances.dtype)


def _weights(distances: Float[Tensor, "*B T S"], temperature: float) -> Float[Tensor, "T S *B"]:
    # One weight is well within the range of fp32; only products of them are not.
    rows_first = distances.movedim((-2, -1), (0, 1)).contiguous()
    return (rows_first * (-1 / temperature)).exp().double()


def _from_start(w: Float[Tensor, "T S *B"], borders: Borders) -> Iterator[Float[Tensor, "T *B"]]:
    """Sums over the paths from the start to each cell, column by column."""
    first, *others = w.unbind(1)
    before = _first_column(first, borders)
    yield before
    for column in others:
        # From the same row, or from the row above.
        entered = before.clone()
        entered[1:] += before[:-1]
        before = entered.mul_(column)
        yield before


def _last(columns: Iterator[Float[Tensor, "T *B"]]) -> Float[Tensor, "T *B"]:
    # The others are freed as soon as the next one is known.
    return deque(columns, maxlen=1)[0]


def _first_column(w: Float[Tensor, "T *B"], borders: Borders) -> Float[Tensor, "T *B"]:
    """Sums in the first real column, which two cells of the padded column lead to."""
    if borders == "paper":
        return torch.cat([w[:1], 2 * w[1:]])
    cells = [w[0]]
    for own, twice in zip(w[1:].unbind(0), (2 * w[1:]).unbind(0), strict=True):
        cells.append(torch.addcmul(twice, own, cells[-1]))
    return torch.stack(cells)


def _total(last: Float[Tensor, "T *B"]) -> Float[Tensor, "*B"]:
    """Sum over all paths: each leaves in the row of its last real cell or in the row below."""
    return 2 * last.sum(0) - last[-1]


def _to_end(w: Float[Tensor, "T S *B"], borders: Borders) -> list[Float[Tensor, "T *B"]]:
    """Sums over the paths from each cell to the end, without its own weight, by column."""
    last = torch.full_like(w[:, -1], 2.0)
    last[-1] = 1.0
    columns = [last]
    for column in reversed(w.unbind(1)[1:]):
        entered = column * columns[-1]
        columns.append(torch.cat([entered[:-1] + entered[1:], entered[-1:]]))
    if borders == "field":
        # In the first real column a path may also move down.
        cells = list(columns[-1].unbind(0))
        for row in range(len(cells) - 2, -1, -1):
            cells[row] = torch.addcmul(cells[row], w[row + 1, 0], cells[row + 1])
        columns[-1] = torch.stack(cells)
    return columns[::-1]


def _shares(w: Float[Tensor, "T S *B"], borders: Borders) -> Float[Tensor, "T S *B"]:
    """Share of the paths through each cell."""
    start = list(_from_start(w, borders))
    inverse = _total(start[-1]).reciprocal()
    pairs = zip(start, _to_end(w, borders), strict=True)
    return torch.stack([before * after for before, after in pairs], 1) * inverse
