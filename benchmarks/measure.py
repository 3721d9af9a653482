"""Times and memory as ratios within one run: they carry over between machines."""

import time
from collections.abc import Callable, Sequence
from functools import cache

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.events import wait

Run = Callable[[], object]
Shape = tuple[int, int, int]


def times(*runs: Run, rounds: int = 7) -> list[float]:
    """The least time of each, in seconds; they take turns, so that all see the same machine."""
    least = [float("inf")] * len(runs)
    for run in runs:
        run()
    for _ in range(rounds):
        for place, run in enumerate(runs):
            start = time.perf_counter()
            run()
            least[place] = min(least[place], time.perf_counter() - start)
    return least


def peak(run: Run) -> int:
    """The most bytes of CPU tensors that were allocated at once while it ran."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as found:
        run()
    events = found.profiler.kineto_results.events()
    changes = sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")
    held = most = 0
    for _, change in changes:
        held += change
        most = max(most, held)
    return most


@cache
def product_rate(device: torch.device, dtype: torch.dtype, shapes: Sequence[Shape]) -> float:
    """Operations a second of matrix products "rows inner, inner columns": what a device can do.

    Args:
        device: Where.
        dtype: Of both matrices and of the product.
        shapes: Rows, inner size and columns of each product; their times are added up.
    """
    seconds = operations = 0.0
    for rows, inner, columns in shapes:
        left = torch.randn(rows, inner, device=device, dtype=dtype)
        right = torch.randn(inner, columns, device=device, dtype=dtype)
        seconds += least_time(lambda a=left, b=right: a @ b, device)
        operations += 2.0 * rows * inner * columns
    return operations / seconds


def least_time(run: Run, device: torch.device, rounds: int = 5, repeats: int = 5) -> float:
    """Seconds of one of several repeats between two waits, in the best of some rounds."""
    least = float("inf")
    for _ in range(rounds + 1):
        wait(device)
        start = time.perf_counter()
        for _ in range(repeats):
            run()
        wait(device)
        least = min(least, (time.perf_counter() - start) / repeats)
    return least
