"""What a number was computed with."""

import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import torch

from fsarbench import __version__
from fsarbench.errors import UserError
from fsarbench.runtime import distributed


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


PACKAGES = (
    "torch",
    "torchvision",
    "open_clip_torch",
    "timm",
    "transformers",
    "mmengine",
    "numpy",
    "scipy",
    "safetensors",
    "decord",
    "av",
    "torchcodec",
)


def versions() -> dict[str, str]:
    """The versions of Python, of this package and of those that its numbers depend on."""
    found = {"python": platform.python_version(), "fsarbench": __version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def describe_device(device: torch.device) -> dict[str, str | int]:
    """The device in words, the threads that torch uses on a CPU, and how many processes it took."""
    several = {"processes": distributed.count()} if distributed.several() else {}
    if device.type == "cuda":
        return {"type": "cuda", "name": torch.cuda.get_device_name(device), **several}
    return {
        **several,
        "type": device.type,
        "name": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
    }


def choose_device(name: str | None) -> torch.device:
    """The device by name; the GPU where there is one.

    Raises:
        UserError: torch has no such device here.
    """
    name = name or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"--device {name}: not on this machine ({reason}). Try cpu.") from error
    return device
