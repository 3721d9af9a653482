"""The largest amount of memory that a run has taken."""

import sys
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Memory:
    """Peaks since the process started, in bytes.

    Attributes:
        process: Resident memory of the main process, without its decoding workers; None where the
            platform does not tell.
        gpu: Tensors on the GPU; None on a CPU.
    """

    process: int | None
    gpu: int | None


def peak_memory(device: torch.device) -> Memory:
    """The peaks so far."""
    gpu = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
    return Memory(_resident(), gpu)


def _resident() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts bytes, Linux kibibytes.
    return peak if sys.platform == "darwin" else peak * 1024
