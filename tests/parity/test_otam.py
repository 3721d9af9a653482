"""OTAM matches loops over cells, written from the paper's equations in float64."""

import itertools
from typing import Literal

import pytest
import torch
from torch import Tensor

from fsarbench.functional.otam import otam, otam_both_ways
from fsarbench.functional.otam_sums import sums_fit
from fsarbench.matchers.otam import OTAM
from tests.helpers.naive_cosine import cosines_with_term

SIZES = [(8, 8), (8, 5), (3, 9), (1, 4), (4, 1), (1, 1), (2, 2)]


def smooth_minimum(costs: list[Tensor], temperature: float) -> Tensor:
    return -temperature * torch.logsumexp(torch.stack([-c / temperature for c in costs]), 0)


def cell_by_cell(distances: Tensor, temperature: float, borders: str = "field") -> Tensor:
    """Cost of one matrix "T S", cell by cell."""
    height, width = distances.shape
    padded = torch.nn.functional.pad(distances, (1, 1))
    zero = padded.new_zeros(())
    cost = {(row, 0): zero for row in range(height)}
    for column in range(1, width + 2):
        cost[0, column] = cost[0, column - 1] + padded[0, column]
    for row, column in itertools.product(range(1, height), range(1, width + 2)):
        before = [cost[row - 1, column - 1], cost[row, column - 1]]
        if column == width + 1 or (column == 1 and borders == "field"):
            before.append(cost[row - 1, column])
        cost[row, column] = padded[row, column] + smooth_minimum(before, temperature)
    return cost[height - 1, width + 1]


def cheapest_path(distances: Tensor) -> float:
    """Minimum cost over all paths, without smoothing.

    A path enters the first real column at any row, goes one column to the right each step and down
    by a row or not, and costs what it steps on; in the first and last real column it may go down.
    """
    height, width = distances.shape
    best = float("inf")
    for falls in itertools.product((0, 1), repeat=width - 1):
        for start in range(height):
            for first, enter in enumerate(range(start, height)):
                rows = [enter + sum(falls[:i]) for i in range(width)]
                if rows[-1] < height:
                    down = distances[start : start + first, 0].sum()
                    along = sum(distances[row, i] for i, row in enumerate(rows))
                    best = min(best, float(down + along))
    return best


def draw(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.rand(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("temperature", [0.5, 0.1, 0.01, 1e-3])
def test_equals_the_loop_in_value_and_gradient(size: tuple[int, int], temperature: float) -> None:
    distances = draw(6, *size).requires_grad_()
    weights = draw(6, seed=1)
    got = otam(distances, temperature)
    want = torch.stack([cell_by_cell(d, temperature) for d in distances])
    assert (got - want).abs().max() < 1e-10
    (got_gradient,) = torch.autograd.grad(got @ weights, distances)
    (want_gradient,) = torch.autograd.grad(want @ weights, distances)
    assert (got_gradient - want_gradient).abs().max() < 1e-10


@pytest.mark.parametrize("size", SIZES)
def test_both_ways_adds_the_transposed_alignment(size: tuple[int, int]) -> None:
    distances = draw(4, *size).requires_grad_()
    got = otam_both_ways(distances, 0.1)
    want = torch.stack([cell_by_cell(d, 0.1) + cell_by_cell(d.T, 0.1) for d in distances])
    assert (got - want).abs().max() < 1e-10
    (got_gradient,) = torch.autograd.grad(got.sum(), distances)
    (want_gradient,) = torch.autograd.grad(want.sum(), distances)
    assert (got_gradient - want_gradient).abs().max() < 1e-10


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("borders", ["field", "paper"])
@pytest.mark.parametrize("temperature", [0.5, 0.1])
def test_the_sum_over_paths_equals_the_loop(
    size: tuple[int, int], borders: Literal["field", "paper"], temperature: float
) -> None:
    distances = draw(6, *size).requires_grad_()
    assert sums_fit(distances, temperature, 2.0)
    there = [cell_by_cell(d, temperature, borders) for d in distances]
    back = [cell_by_cell(d.T, temperature, borders) for d in distances]
    weights, (one, both) = (
        draw(6, seed=1),
        (torch.stack(there), torch.stack(there) + torch.stack(back)),
    )
    for align, want in ((otam, one), (otam_both_ways, both)):
        got = align(distances, temperature, borders, largest=2.0)
        assert (got - want).abs().max() < 1e-10
        (ours,) = torch.autograd.grad(got @ weights, distances)
        (naive,) = torch.autograd.grad(want @ weights, distances, retain_graph=True)
        assert (ours - naive).abs().max() < 1e-10


@pytest.mark.parametrize("size", [(4, 4), (5, 3), (3, 5), (1, 3), (4, 1)])
def test_the_cheapest_path_at_vanishing_temperature(size: tuple[int, int]) -> None:
    for distances in draw(5, *size):
        assert otam(distances, 1e-9).item() == pytest.approx(cheapest_path(distances), abs=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("temperature", [100.0, 0.01, 1e-3, 1e-6])
def test_finite_where_exponentials_underflow(dtype: torch.dtype, temperature: float) -> None:
    distances = draw(3, 16, 16).to(dtype).requires_grad_()
    cost = otam_both_ways(distances, temperature)
    (gradient,) = torch.autograd.grad(cost.sum(), distances)
    assert torch.isfinite(cost).all()
    assert torch.isfinite(gradient).all()
    assert gradient.abs().sum() > 0


def test_float32_stays_near_the_loop() -> None:
    distances = draw(6, 8, 8)
    want = torch.stack([cell_by_cell(d, 0.01) for d in distances])
    assert (otam(distances.float(), 0.01) - want).abs().max() < 1e-5


@pytest.mark.parametrize("directions", ["both", "one"])
@pytest.mark.parametrize("queries", [1, 3])
@pytest.mark.parametrize("eps", [0.0, 0.01])
def test_matcher_equals_loops_over_pairs(directions: str, queries: int, eps: float) -> None:
    query = (draw(3, 5, 16) - 1).requires_grad_()
    prototypes = (draw(queries, 4, 2, 5, 16, seed=1) - 1).requires_grad_()
    matcher = OTAM(0.1, directions, cosine_eps=eps)  # type: ignore[arg-type]
    spread = prototypes.expand(3, -1, -1, -1, -1)
    rows = []
    for i, n in itertools.product(range(3), range(4)):
        costs = []
        for prototype in spread[i, n]:
            distances = 1 - cosines_with_term(query[i], prototype, eps)
            costs.append(cell_by_cell(distances, 0.1))
            if directions == "both":
                costs[-1] = costs[-1] + cell_by_cell(distances.T, 0.1)
        rows.append(-sum(costs) / 2)
    logits, want = matcher(query, prototypes), torch.stack(rows).view(3, 4)
    torch.testing.assert_close(logits, want, rtol=0, atol=1e-10)
    weights, inputs = draw(3, 4, seed=2), [query, prototypes]
    ours = torch.autograd.grad((logits * weights).sum(), inputs)
    theirs = torch.autograd.grad((want * weights).sum(), inputs)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("temperature", [0.5, 0.01])
def test_borders_of_the_paper(size: tuple[int, int], temperature: float) -> None:
    """Without moves down the first real column only the smoothed cost differs, not the minimum."""
    distances = draw(6, *size).requires_grad_()
    got = otam_both_ways(distances, temperature, "paper")
    pairs = [cell_by_cell(m, temperature, "paper") for d in distances for m in (d, d.T)]
    want = torch.stack(pairs).view(6, 2).sum(1)
    assert (got - want).abs().max() < 1e-10
    (got_gradient,) = torch.autograd.grad(got.sum(), distances)
    (want_gradient,) = torch.autograd.grad(want.sum(), distances)
    assert (got_gradient - want_gradient).abs().max() < 1e-10
    if min(size) > 1 and temperature == 0.5:
        assert (got - otam_both_ways(distances, temperature)).abs().max() > 1e-6
