"""Every registered matcher: 5-way, 25 queries, 8 frames, width 512.

Run without the shape contracts, which cost time::

    pytest -o addopts= benchmarks/bench_matchers.py

The table has the times of one episode; below it stand the ratios to the forms that the field uses.
"""

from collections.abc import Callable

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from benchmarks.measure import Run, peak, times
from benchmarks.naive import WholeTuples, otam_by_cells_both_ways
from fsarbench.assembly import build_part
from fsarbench.cards import cards
from fsarbench.functional.alignment import otam_both_ways
from fsarbench.matchers.trx import TRX

WAY, QUERIES, FRAMES, DIM = 5, 25, 8, 512
MATCHERS = [card.name for card in cards() if card.slot == "matcher"]
Say = Callable[[str], None]


def episode(shot: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(QUERIES, FRAMES, DIM, generator=generator)
    return query, torch.randn(1, WAY, shot, FRAMES, DIM, generator=generator)


def backward(run: Callable[[], Tensor], *inputs: Tensor) -> Run:
    return lambda: torch.autograd.grad(run().sum(), inputs)


@pytest.mark.parametrize("shot", [1, 5])
@pytest.mark.parametrize("name", MATCHERS)
def test_forward(benchmark: BenchmarkFixture, name: str, shot: int) -> None:
    matcher = build_part("matcher", {"type": name}, {"dim": DIM, "frames": FRAMES}).eval()
    query, prototypes = episode(shot)
    benchmark.group = f"forward, {shot}-shot"
    with torch.no_grad():
        benchmark(matcher, query, prototypes)


@pytest.mark.parametrize("shot", [1, 5])
@pytest.mark.parametrize("name", MATCHERS)
def test_forward_and_backward(benchmark: BenchmarkFixture, name: str, shot: int) -> None:
    matcher = build_part("matcher", {"type": name}, {"dim": DIM, "frames": FRAMES}).eval()
    query, prototypes = (x.requires_grad_() for x in episode(shot))
    inputs = [query, prototypes, *matcher.parameters()]
    benchmark.group = f"forward and backward, {shot}-shot"
    benchmark(backward(lambda: matcher(query, prototypes), *inputs))


def test_otam_against_cells(say: Say) -> None:
    generator = torch.Generator().manual_seed(0)
    distances = torch.rand(64, QUERIES, WAY, FRAMES, FRAMES, generator=generator)
    one = distances[0].clone().requires_grad_()
    torch.testing.assert_close(
        otam_both_ways(one, 0.1), otam_by_cells_both_ways(one, 0.1), rtol=1e-4, atol=1e-4
    )
    with torch.no_grad():
        cells, rows, many = times(
            lambda: otam_by_cells_both_ways(one, 0.1),
            lambda: otam_both_ways(one, 0.1),
            lambda: otam_both_ways(distances, 0.1),
            rounds=40,
        )
    say(f"OTAM forward, an episode: {cells / rows:.1f} times faster ({1e3 * cells:.1f} ms there)")
    say(f"OTAM forward, an episode of 64 in one call: {64 * cells / many:.1f} times faster")
    cells, rows = times(
        backward(lambda: otam_by_cells_both_ways(one, 0.1), one),
        backward(lambda: otam_both_ways(one, 0.1), one),
        rounds=15,
    )
    say(f"OTAM forward and backward: {cells / rows:.1f} times faster ({1e3 * cells:.1f} ms there)")


@pytest.mark.parametrize("shot", [1, 5])
def test_trx_against_whole_tuples(say: Say, shot: int) -> None:
    torch.manual_seed(0)
    ours = TRX(DIM, dropout=0.0)
    theirs, (query, prototypes) = WholeTuples(ours), episode(shot)
    shots = prototypes[0]
    torch.testing.assert_close(ours(query, prototypes), theirs(query, shots), rtol=1e-3, atol=1e-3)
    with torch.no_grad():
        here, there = lambda: ours(query, prototypes), lambda: theirs(query, shots)
        slow, fast = times(there, here, rounds=3)
        held, less = peak(there), peak(here)
    say(
        f"TRX forward, {shot}-shot: {slow / fast:.1f} times faster ({1e3 * slow:.0f} ms there), "
        f"{less / held:.2f} of the peak memory ({held / 2**20:.0f} MiB there)"
    )
    here = backward(lambda: ours(query, prototypes), *ours.parameters())
    there = backward(lambda: theirs(query, shots), *theirs.parameters())
    slow, fast = times(there, here, rounds=3)
    held, less = peak(there), peak(here)
    say(
        f"TRX forward and backward, {shot}-shot: {slow / fast:.1f} times faster "
        f"({1e3 * slow:.0f} ms there), {less / held:.2f} of the peak memory "
        f"({held / 2**20:.0f} MiB there)"
    )
