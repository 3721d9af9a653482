"""Every registered matcher: 5-way, 25 queries, 8 frames, width 512.

Run without the shape checks, which take time::

    pytest -o addopts= benchmarks/bench_matchers.py

The table has the times of one episode; the lines below have the ratios to naive implementations.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor, nn

from benchmarks.measure import Run, peak, times
from benchmarks.naive import WholeTuples, otam_by_cells_both_ways
from benchmarks.parts import registered
from fsarbench.config.build import build_component
from fsarbench.functional.otam import otam_both_ways
from fsarbench.matchers.trx import TRX
from fsarbench.profiling.timing import synchronize

WAY, QUERIES, FRAMES = 5, 25, 8
MATCHERS = registered("matcher")
Say = Callable[[str], None]
Rounds = Callable[[int], int]


class Features(NamedTuple):
    """Frames per video and feature width."""

    frames: int
    dim: int


@pytest.fixture
def features(request: pytest.FixtureRequest) -> Features:
    """Sizes as in papers; smaller if benchmarks are disabled."""
    off = request.config.getoption("benchmark_disable")
    return Features(4, 32) if off else Features(FRAMES, 512)


def episode(shot: int, features: Features, device: torch.device) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(QUERIES, *features, generator=generator)
    support = torch.randn(1, WAY, shot, *features, generator=generator)
    return query.to(device), support.to(device)


def built(name: str, features: Features, device: torch.device) -> nn.Module:
    torch.manual_seed(0)
    return build_component("matcher", {"type": name}, features._asdict()).eval().to(device)


def finished(run: Callable[[], Tensor], device: torch.device) -> Run:
    def waited() -> None:
        run()
        synchronize(device)

    return waited


def backward(run: Callable[[], Tensor], *inputs: Tensor) -> Callable[[], Any]:
    return lambda: torch.autograd.grad(run().sum(), inputs)


@pytest.mark.parametrize("shot", [1, 5])
@pytest.mark.parametrize("name", MATCHERS)
def test_forward(
    benchmark: BenchmarkFixture, name: str, shot: int, features: Features, device: torch.device
) -> None:
    matcher = built(name, features, device)
    query, prototypes = episode(shot, features, device)
    benchmark.group = f"forward, {shot}-shot"
    with torch.no_grad():
        benchmark(finished(lambda: matcher(query, prototypes), device))


@pytest.mark.parametrize("shot", [1, 5])
@pytest.mark.parametrize("name", MATCHERS)
def test_forward_and_backward(
    benchmark: BenchmarkFixture, name: str, shot: int, features: Features, device: torch.device
) -> None:
    matcher = built(name, features, device)
    query, prototypes = (x.requires_grad_() for x in episode(shot, features, device))
    inputs = [query, prototypes, *matcher.parameters()]
    benchmark.group = f"forward and backward, {shot}-shot"
    benchmark(finished(backward(lambda: matcher(query, prototypes), *inputs), device))


def test_otam_against_cells(say: Say, rounds: Rounds) -> None:
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
            rounds=rounds(40),
        )
    say(f"OTAM forward, one episode: {cells / rows:.1f} times faster ({1e3 * cells:.1f} ms naive)")
    say(f"OTAM forward, per episode of 64 in one call: {64 * cells / many:.1f} times faster")
    cells, rows = times(
        backward(lambda: otam_by_cells_both_ways(one, 0.1), one),
        backward(lambda: otam_both_ways(one, 0.1), one),
        rounds=rounds(15),
    )
    say(f"OTAM forward and backward: {cells / rows:.1f} times faster ({1e3 * cells:.1f} ms naive)")


@pytest.mark.parametrize("shot", [1, 5])
def test_trx_against_whole_tuples(say: Say, rounds: Rounds, shot: int, features: Features) -> None:
    torch.manual_seed(0)
    ours = TRX(features.dim, dropout=0.0)
    theirs, (query, prototypes) = WholeTuples(ours), episode(shot, features, torch.device("cpu"))
    shots = prototypes[0]
    torch.testing.assert_close(ours(query, prototypes), theirs(query, shots), rtol=1e-3, atol=1e-3)
    with torch.no_grad():
        here, there = lambda: ours(query, prototypes), lambda: theirs(query, shots)
        slow, fast = times(there, here, rounds=rounds(3))
        held, less = peak(there), peak(here)
    say(
        f"TRX forward, {shot}-shot: {slow / fast:.1f} times faster ({1e3 * slow:.0f} ms naive), "
        f"{less / held:.2f} of the peak memory ({held / 2**20:.0f} MiB naive)"
    )
    here = backward(lambda: ours(query, prototypes), *ours.parameters())
    there = backward(lambda: theirs(query, shots), *theirs.parameters())
    slow, fast = times(there, here, rounds=rounds(3))
    held, less = peak(there), peak(here)
    say(
        f"TRX forward and backward, {shot}-shot: {slow / fast:.1f} times faster "
        f"({1e3 * slow:.0f} ms naive), {less / held:.2f} of the peak memory "
        f"({held / 2**20:.0f} MiB naive)"
    )
