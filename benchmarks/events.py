"""Timer with GPU events."""

from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass
class EventClock:
    """Timer for pytest-benchmark that waits for pending kernels and reads the GPU's clock.

    Two events are at most one reading apart: their distance is a single-precision number of
    milliseconds, too coarse over minutes.
    """

    seconds: float = 0.0
    last: Any = field(default=None, repr=False)

    def __call__(self) -> float:
        """Seconds since the first call."""
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        event.synchronize()
        if self.last is not None:
            self.seconds += self.last.elapsed_time(event) / 1000
        self.last = event
        return self.seconds
