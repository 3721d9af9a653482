"""Share of paths through each cell matches enumeration of paths and finite differences."""

import itertools

import pytest
import torch
from torch import Tensor

from fsarbench.functional.otam import occupancy, otam, otam_both_ways
from fsarbench.functional.soft_dtw import soft_dtw


def draw(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return 2 * torch.rand(shape, generator=generator, dtype=torch.float64)


def paths(height: int, width: int) -> list[list[tuple[int, int]]]:
    """All paths of OTAM's recursion with the paper's borders, paths of equal cells included.

    A path enters the first real column from the padded one, at the same row or one above; each step
    goes one column to the right, in the same row or one row down; and it leaves to the padded
    column, where moving down is free: straight, or (except from the last row) to the row below.
    """
    cells_per_path = []
    for entered, falls in itertools.product(range(height), itertools.product((0, 1), repeat=width)):
        rows = [entered + sum(falls[:column]) for column in range(width)]
        if rows[-1] + falls[-1] < height:
            cells = list(zip(rows, range(width), strict=True))
            # The first row has one predecessor in the padded column, the others have two.
            cells_per_path += [cells] * (1 if entered == 0 else 2)
    return cells_per_path


def counted(distances: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Smoothed cost and mean visits, by enumeration of all paths."""
    ways = paths(*distances.shape)
    costs = torch.stack([sum(distances[cell] for cell in way) for way in ways])  # type: ignore[misc]
    shares = (-costs / temperature).softmax(0)
    visits = torch.zeros_like(distances)
    for way, share in zip(ways, shares, strict=True):
        for cell in way:
            visits[cell] += share
    return -temperature * (-costs / temperature).logsumexp(0), visits


@pytest.mark.parametrize("size", [(4, 4), (5, 3), (3, 5)])
@pytest.mark.parametrize("temperature", [1.0, 0.1])
def test_is_the_mean_over_paths(size: tuple[int, int], temperature: float) -> None:
    distances = draw(*size)
    cost, visits = counted(distances, temperature)
    computed = occupancy(lambda d: otam(d, temperature, "paper"), distances)
    # The first row of the recursion enters with weight 1, the free fall before it with a factor:
    # a constant that the visits do not see.
    assert (computed - visits).abs().max() < 1e-12
    assert otam(distances, temperature, "paper").item() == pytest.approx(cost.item(), abs=1e-9)


@pytest.mark.parametrize("cost", [lambda d: otam(d, 0.2), lambda d: soft_dtw(d, 0.2)])
def test_matches_finite_differences(cost) -> None:
    distances, step = draw(4, 5), 1e-5
    computed = occupancy(cost, distances)
    for cell in itertools.product(range(4), range(5)):
        moved = torch.zeros_like(distances)
        moved[cell] = step
        slope = (cost(distances + moved) - cost(distances - moved)) / (2 * step)
        assert computed[cell].item() == pytest.approx(slope.item(), abs=1e-6)


def test_each_column_is_visited_once() -> None:
    distances = draw(2, 3, 6, 7)
    along = occupancy(lambda d: otam(d, 0.3, "paper"), distances).sum(-2)
    assert (along - 1).abs().max() < 1e-12
    # The field's borders let a path go down the first column, and there alone.
    field = occupancy(lambda d: otam(d, 0.3, "field"), distances).sum(-2)
    assert (field[..., 1:] - 1).abs().max() < 1e-12
    assert (field[..., 0] > 1).all()


def test_both_ways_are_those_of_a_matrix_and_of_its_transpose() -> None:
    distances = draw(5, 5)
    computed = occupancy(lambda d: otam_both_ways(d, 0.1), distances)
    rows = occupancy(lambda d: otam(d, 0.1), distances)
    columns = occupancy(lambda d: otam(d, 0.1), distances.T).T
    assert (computed - rows - columns).abs().max() < 1e-12


def test_the_path_follows_a_known_alignment() -> None:
    """The query repeats its third frame: rows 2, 3 and 4 equal column 2."""
    true = [0, 1, 2, 2, 2, 3, 4, 5]
    distances = torch.ones(8, 6, dtype=torch.float64)
    distances[range(8), true] = 0
    computed = occupancy(lambda d: soft_dtw(d, 0.02), distances)
    assert computed.argmax(-1).tolist() == true
    assert computed[range(8), true].min() > 0.99
    # OTAM goes one column on with each step, so it is the columns that may wait: the transpose.
    computed = occupancy(lambda d: otam(d, 0.02), distances.T).T
    assert computed.argmax(-1).tolist() == true
    assert computed[range(8), true].min() > 0.99


def test_works_without_gradients() -> None:
    with torch.no_grad():
        assert occupancy(lambda d: otam(d, 0.1), draw(3, 3)).sum() > 0
