"""Soft-DTW matches its definition: the smoothed minimum over all paths, and cell by cell."""

import itertools

import pytest
import torch
from torch import Tensor

from fsarbench.functional.soft_dtw import soft_dtw
from fsarbench.matchers.soft_dtw import SoftDTW

SIZES = [(5, 5), (5, 3), (3, 6), (1, 4), (4, 1), (1, 1), (2, 2)]


def paths(height: int, width: int, row: int = 0, column: int = 0) -> list[list[tuple[int, int]]]:
    """All paths from a cell to the last, by steps down, right, or both."""
    if (row, column) == (height - 1, width - 1):
        return [[(row, column)]]
    steps = [(row + 1, column), (row, column + 1), (row + 1, column + 1)]
    inside = [(r, c) for r, c in steps if r < height and c < width]
    return [[(row, column), *rest] for r, c in inside for rest in paths(height, width, r, c)]


def over_all_paths(distances: Tensor, temperature: float) -> Tensor:
    """Smoothed minimum of the costs of all paths (the paper's definition)."""
    every = paths(*distances.shape)
    costs = torch.stack([sum(distances[cell] for cell in path) for path in every])
    return -temperature * torch.logsumexp(-costs / temperature, 0)


def draw(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.rand(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("temperature", [1.0, 0.1, 0.01])
def test_equals_all_paths_in_value_and_gradient(size: tuple[int, int], temperature: float) -> None:
    distances = draw(4, *size).requires_grad_()
    weights = draw(4, seed=1)
    got = soft_dtw(distances, temperature)
    want = torch.stack([over_all_paths(d, temperature) for d in distances])
    assert (got - want).abs().max() < 1e-10
    (got_gradient,) = torch.autograd.grad(got @ weights, distances)
    (want_gradient,) = torch.autograd.grad(want @ weights, distances)
    assert (got_gradient - want_gradient).abs().max() < 1e-10


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("temperature", [100.0, 0.01, 1e-6])
def test_finite_where_exponentials_underflow(dtype: torch.dtype, temperature: float) -> None:
    distances = draw(3, 16, 12).to(dtype).requires_grad_()
    cost = soft_dtw(distances, temperature)
    (gradient,) = torch.autograd.grad(cost.sum(), distances)
    assert torch.isfinite(cost).all()
    assert torch.isfinite(gradient).all()
    assert gradient[:, 0, 0].tolist() == pytest.approx([1, 1, 1], rel=1e-4)


def test_matcher_equals_loops_over_pairs() -> None:
    query, prototypes = draw(3, 4, 16) - 1, draw(1, 4, 2, 4, 16, seed=1) - 1
    logits = SoftDTW(0.2)(query, prototypes)
    for i, n in itertools.product(range(3), range(4)):
        costs = []
        for prototype in prototypes[0, n]:
            cosines = torch.cosine_similarity(query[i][:, None], prototype[None], dim=-1)
            costs.append(over_all_paths(1 - cosines, 0.2))
        assert logits[i, n].item() == pytest.approx(-sum(costs).item() / 2, abs=1e-10)
