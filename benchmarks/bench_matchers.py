"""Every registered matcher: 5-way, 25 queries, 8 frames, width 512.

Run without the shape checks, which take time::

    pytest -o addopts= benchmarks/bench_matchers.py

The table has the times of one episode; the lines below have the ratios to naive implementations.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor, nn

from benchmarks.measure import Run, peak, times
from benchmarks.naive import (
    WholeTuples,
    field_bi_mhm,
    field_otam,
    otam_by_cells_both_ways,
)
from benchmarks.parts import registered
from fsarbench.config.build import build_component
from fsarbench.functional.otam import otam_both_ways
from fsarbench.matchers.bi_mhm import BiMHM
from fsarbench.matchers.otam import OTAM
from fsarbench.matchers.trx import TRX
from fsarbench.profiling.timing import synchronize
from fsarbench.prototypes.text_guided import TextGuided

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


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_otam_of_many_episodes(say: Say, rounds: Rounds, features: Features) -> None:
    """From features to logits: one call against the field's form as one batch and as a loop."""
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(64, QUERIES, *features, generator=generator)
    shots = torch.randn(64, WAY, *features, generator=generator)
    # The field's cosine has 0.01 in its denominator.
    prototypes, matcher = shots[:, None, :, None], OTAM(cosine_eps=0.01)
    with torch.no_grad():
        want = field_otam(query, shots, 1)
        torch.testing.assert_close(
            matcher.score_episodes(query, prototypes), want, rtol=1e-4, atol=1e-4
        )
        batch, loop, mapped, ours = times(
            lambda: field_otam(query, shots, 1),
            lambda: [field_otam(q, s, 1) for q, s in zip(query, shots, strict=True)],
            lambda: torch.vmap(matcher)(query, prototypes),
            lambda: matcher.score_episodes(query, prototypes),
            rounds=rounds(15),
            clock=time.process_time,
        )
    say(
        f"OTAM with cosines, 64 episodes in one call, one thread: {1e3 * ours:.1f} ms; "
        f"{batch / ours:.1f} times faster than the field's form as one batch, {loop / ours:.0f} "
        f"times than its loop, {mapped / ours:.1f} times than under vmap"
    )


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("shot", [1, 5])
@pytest.mark.parametrize(("name", "theirs"), [("OTAM", field_otam), ("BiMHM", field_bi_mhm)])
def test_against_the_field(
    say: Say, rounds: Rounds, name: str, theirs: Any, shot: int, features: Features
) -> None:
    """One episode, from features to logits and back."""
    matcher = OTAM(cosine_eps=0.01) if name == "OTAM" else BiMHM(cosine_eps=0.01)
    query, prototypes = (x.requires_grad_() for x in episode(shot, features, torch.device("cpu")))

    def field() -> Tensor:
        return theirs(query, prototypes[0].flatten(0, 1), shot)

    def here() -> Tensor:
        return matcher(query, prototypes)

    torch.testing.assert_close(here(), field(), rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        slow, fast = times(field, here, rounds=rounds(60), clock=time.process_time)
    both = backward(field, query, prototypes), backward(here, query, prototypes)
    slow_both, fast_both = times(*both, rounds=rounds(60), clock=time.process_time)
    held, less = (peak(run) / 2**20 for run in both)
    say(
        f"{name} with cosines, {shot}-shot, one thread: forward {slow / fast:.1f} times as fast as "
        f"the field's ({1e3 * fast:.2f} ms), forward and backward {slow_both / fast_both:.2f} "
        f"times ({1e3 * fast_both:.2f} ms), peak memory {less:.2f} against {held:.2f} MiB"
    )


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("way", [5, 24])
def test_text_guided_prototypes(say: Say, rounds: Rounds, way: int, features: Features) -> None:
    """5-shot prototypes of 32 episodes in one call against the same under vmap."""
    builder = TextGuided(features.dim).eval()
    support, text = torch.randn(32, way, 5, *features), torch.randn(32, way, 1, features.dim)
    with torch.no_grad():
        mapped, ours = times(
            lambda: torch.vmap(builder.class_prototypes)(support, text),
            lambda: builder.class_prototypes(support.flatten(0, 1), text.flatten(0, 1)),
            rounds=rounds(5),
            clock=time.process_time,
        )
    say(
        f"TPCM, {way}-way 5-shot, one thread: {1e3 * ours / 32:.2f} ms per episode, "
        f"{mapped / ours:.2f} times faster than under vmap"
    )


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
