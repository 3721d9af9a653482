"""What numbers depend on, as short texts: equal facts, equal numbers (to rounding)."""

import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

import fsarbench
from fsarbench.data.data_module import Bench
from fsarbench.runtime.environment import describe_device, versions

# What encodes beside the parts themselves; the parts, a user's own too, are found by their classes.
ENCODING = ("adapters", "backbones", "data", "functional", "tiny", "layers.py", "model.py")


def facts_of(module: nn.Module, bench: Bench, config: str) -> dict[str, str]:
    """What the outputs of a module depend on, besides the videos.

    Args:
        module: Whose weights and code count.
        bench: How clips are read and cut, and the device.
        config: The part of the config that the module was built from.
    """
    clips, device = bench.clips, describe_device(bench.device)
    return {
        "config": config,
        "weights": weights_hash(module),
        "code": code_hash([*module.modules(), bench.reader]),
        "clips": f"{clips.frames} {clips.size} {clips.resize} {clips.sampling}",
        "precision": f"{torch.get_float32_matmul_precision()} {torch.get_default_dtype()}",
        "device": f"{device['type']} {device['name']}",
        "versions": str(versions()),
    }


def weights_hash(module: nn.Module) -> str:
    """A hash over all parameters and buffers, by name."""
    found = hashlib.blake2b(digest_size=16)
    for name, value in module.state_dict().items():
        found.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        found.update(content(value))
    return found.hexdigest()


def content(values: Tensor) -> bytes:
    """The bytes of a tensor."""
    return values.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def code_hash(objects: Iterable[object]) -> str:
    """A hash over the files that define the classes of some objects, and over what encodes."""
    kinds = {kind for thing in objects for kind in type(thing).__mro__}
    modules = {sys.modules.get(kind.__module__) for kind in kinds}
    named = {getattr(module, "__file__", None) for module in modules} - {None}
    # By content, not by path: another machine has the same code elsewhere.
    files = {Path(str(file)) for file in named}.union(_encoding())
    contents = sorted(file.read_bytes() for file in files if file.is_file())
    return hashlib.blake2b(b"\n".join(contents), digest_size=16).hexdigest()


def _encoding() -> Iterator[Path]:
    package = Path(fsarbench.__file__).parent
    for part in ENCODING:
        yield from [package / part] if part.endswith(".py") else (package / part).rglob("*.py")
