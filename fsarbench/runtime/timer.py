"""Seconds of work on a device, finished work only."""

import time

import torch


class Timer:
    """Adds up the seconds of its `with` blocks.

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
        # A GPU runs behind the program; without waiting, its work would count for a later clock.
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()
