"""Ratios of times and memory within one run, which are comparable between machines."""

import time
from collections.abc import Callable

from torch.profiler import ProfilerActivity, profile

Run = Callable[[], object]


def times(
    *runs: Run, rounds: int = 7, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Minimum time of each function in seconds; calls alternate for equal conditions.

    Args:
        runs: Functions to time.
        rounds: Calls of each; the first one is repeated before, if there are several.
        clock: `time.process_time` counts CPU seconds, which other programs disturb less; only for
            functions that run on one thread.
    """
    least = [float("inf")] * len(runs)
    for run in runs if rounds > 1 else ():
        run()
    for _ in range(rounds):
        for place, run in enumerate(runs):
            start = clock()
            run()
            least[place] = min(least[place], clock() - start)
    return least


def peak(run: Run) -> int:
    """Peak bytes of CPU tensors allocated during a call."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as found:
        run()
    events = found.profiler.kineto_results.events()
    changes = sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")
    held = most = 0
    for _, change in changes:
        held += change
        most = max(most, held)
    return most
