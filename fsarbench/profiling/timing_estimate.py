"""Estimate of the time that timing a config takes, from its FLOPs and the speed of the device."""

from dataclasses import dataclass

import torch

from fsarbench.profiling.operations import Testing, Training
from fsarbench.profiling.timing import time_runs

# Side of a square matrix product that occupies the device and takes a fraction of a second.
SIDE = {"cuda": 4096, "cpu": 1024}


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Estimated time of timing one config.

    Attributes:
        operations: FLOPs of all runs.
        rate: FLOPs per second of a large matrix product on the device.
    """

    operations: int
    rate: float

    @property
    def seconds(self) -> float:
        """Lower bound of the time, because no model is faster than a large matrix product."""
        return self.operations / self.rate

    def text(self) -> str:
        """Estimate in words.

        Example:
            >>> Estimate(operations=12 * 10**12, rate=5e10).text()
            'at least 4 min on this device (12,000 GFLOPs at 50 GFLOP/s, a matrix product)'
        """
        minutes = self.seconds / 60
        time = f"{minutes:,.0f} min" if minutes >= 2 else f"{self.seconds:.0f} s"
        return (
            f"at least {time} on this device ({self.operations / 1e9:,.0f} GFLOPs at "
            f"{self.rate / 1e9:,.0f} GFLOP/s, a matrix product)"
        )


def matrix_product_rate(device: torch.device, bf16: bool) -> float:
    """FLOPs per second of a square matrix product, measured in a second at most."""
    side = SIDE.get(device.type, 1024)
    dtype = torch.bfloat16 if bf16 else torch.float32
    matrix = torch.randn(side, side, device=device, dtype=dtype)
    return 2 * side**3 / time_runs(lambda: matrix @ matrix, device, repeats=3, warmup=1).low


def timed_operations(testing: Testing, training: Training | None, queries: int, runs: int) -> int:
    """FLOPs of all runs: encoding the query videos, a test episode, and a training step.

    Matching alone needs few FLOPs and is left out.

    Args:
        testing: FLOPs of testing.
        training: FLOPs of a training step; None without training.
        queries: Number of query videos of a test episode.
        runs: Number of runs of each, including the warm-up.
    """
    step = 0 if training is None else training.step
    return runs * (queries * testing.query_video + testing.episode + step)
