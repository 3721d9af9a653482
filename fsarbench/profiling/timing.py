"""Seconds of repeated work on a device, and what the device was like."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from fsarbench.runtime.environment import describe_device, versions


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds of one piece of work.

    Attributes:
        median: Of all repeats.
        low: The first quartile; with fewer than four repeats the least.
        high: The third quartile; with fewer than four repeats the largest.
        repeats: How often it was timed.
        warmup: How often it ran before that.
    """

    median: float
    low: float
    high: float
    repeats: int
    warmup: int


def time_runs(
    run: Callable[[], object], device: torch.device, repeats: int = 10, warmup: int = 2
) -> Timing:
    """Times some work, each repeat from an idle device to an idle device.

    Example:
        >>> time_runs(lambda: sum(range(100)), torch.device("cpu"), repeats=3).repeats
        3
    """
    for _ in range(warmup):
        run()
    seconds = []
    for _ in range(repeats):
        finish(device)
        start = time.perf_counter()
        run()
        finish(device)
        seconds.append(time.perf_counter() - start)
    low, high = min(seconds), max(seconds)
    if repeats >= 4:
        low, _, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return Timing(
        median=statistics.median(seconds), low=low, high=high, repeats=repeats, warmup=warmup
    )


def finish(device: torch.device) -> None:
    """Waits for a GPU, which runs behind the program."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def conditions(device: torch.device) -> dict[str, Any]:
    """What every timing depends on: device, clocks as found, versions."""
    return {"device": {**describe_device(device), **clocks(device)}, "versions": versions()}


def clocks(device: torch.device) -> dict[str, Any]:
    """The clocks of a GPU in MHz, where its driver tells, its memory, and its CUDA version."""
    if device.type != "cuda":
        return {}
    properties = torch.cuda.get_device_properties(device)
    found = {"memory_bytes": properties.total_memory, "cuda": torch.version.cuda}
    try:
        return {**found, "sm_clock_mhz": torch.cuda.clock_rate(device)}
    except Exception:
        # It takes the driver's own Python package, which is no dependency and has its own errors.
        return found
