"""Timer that waits for the device, so that only finished work is measured."""

import time

import torch


class Timer:
    """Sum of the seconds of its `with` blocks.

    Example:
        >>> clock = Timer(torch.device("cpu"))
        >>> with clock:
        ...     work = sum(range(1000))
        >>> clock.seconds > 0
        True
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds = 0.0
        self._start = 0.0

    def __enter__(self) -> "Timer":
        self._start = self._now()
        return self

    def __exit__(self, *exception: object) -> None:
        self.seconds += self._now() - self._start

    def _now(self) -> float:
        # A GPU works asynchronously; without waiting, its work would be attributed to later blocks.
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()
