"""Device, memory and package versions of a run."""

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
    """Peak memory since the start of the process, in bytes.

    Attributes:
        process: Resident memory of the main process, without decoding workers; None if the platform
            does not report it.
        gpu: Memory of tensors on the GPU; None on a CPU.
    """

    process: int | None
    gpu: int | None


def peak_memory(device: torch.device) -> Memory:
    """Peak memory so far."""
    gpu = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
    return Memory(_resident(), gpu)


def _resident() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # The unit is bytes on macOS and KiB on Linux.
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
    """Versions of Python, fsarbench and the packages that affect its results."""
    by_package = {"python": platform.python_version(), "fsarbench": __version__}
    for package in PACKAGES:
        try:
            by_package[package] = version(package)
        except PackageNotFoundError:
            continue
    return by_package


def describe_device(device: torch.device) -> dict[str, str | int]:
    """Type and name of the device, number of CPU threads, and number of processes."""
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
    """Device with this name; by default a GPU if there is one, else the CPU.

    Raises:
        UserError: The device is not available.
    """
    name = name or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"--device {name}: not on this machine ({reason}). Try cpu.") from error
    return device
