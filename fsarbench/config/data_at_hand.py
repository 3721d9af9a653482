"""Search for the videos and weights of a config before torch is imported, which takes seconds."""

from collections.abc import Mapping, Sequence
from typing import Any

from fsarbench.backbones.missing_weights import require_download, wrong_name
from fsarbench.config.components import build_dataset
from fsarbench.config.loading import SECTIONS, LoadedConfig, load_config
from fsarbench.config.validation import (
    TOP_LEVEL,
    Fault,
    part_faults,
    report_faults,
    section_faults,
)
from fsarbench.errors import UserError
from fsarbench.registry import SLOTS

# Slots whose components do not import torch.
WITHOUT_TORCH = ("dataset", "reader")

# Slots whose components load weights.
WITH_WEIGHTS = ("backbone", "text_encoder")


def require_inputs(config: str, overrides: Sequence[str] = ()) -> None:
    """Look whether the videos and the weights of a config are there, without importing torch.

    Args:
        config: Config file or name.
        overrides: Strings `key=value`.

    Raises:
        UserError: The config cannot be loaded, or videos or weights are missing; the message says
            where to get them and where to put them.
    """
    loaded = load_config(config, overrides)
    look_for_videos(loaded)
    look_for_weights(loaded)


def look_for_videos(config: LoadedConfig) -> None:
    """Look whether the videos of a loaded config are there, without importing torch.

    A config with a fault that is found without torch is left to `check_config`, which lists all
    faults. Data sets that are generated are not looked for.

    Raises:
        UserError: Videos are missing.
    """
    if not has_cheap_faults(config.values):
        build_dataset(config.values).require_videos()


def look_for_weights(config: LoadedConfig) -> None:
    """Look whether named weights exist and can be downloaded, without importing torch.

    Weights of timm and torchvision on the hub are left to their loaders, because their places are
    known to the libraries only, which import torch.

    Raises:
        UserError: Weights do not exist, or are neither on this machine nor to be had from the hub.
    """
    if has_cheap_faults(config.values):
        return
    specs = {slot: config.values.get(slot) or {} for slot in WITH_WEIGHTS}
    found = ((slot, wrong_name(spec.get("type", ""), spec)) for slot, spec in specs.items())
    faults = [Fault(f"{slot}.pretrained", text, (f"{slot}.model",)) for slot, text in found if text]
    report_faults(config, faults)
    for slot, spec in specs.items():
        try:
            require_download(spec.get("type", ""), spec)
        except UserError as error:
            raise UserError(f"{slot}: {spec['type']}: {error}") from error


def has_cheap_faults(values: Mapping[str, Any]) -> bool:
    """Whether a config has a fault that is found without importing a component of the model."""
    if not isinstance(values.get("dataset"), dict):
        return True
    if not values.keys() <= set(TOP_LEVEL):
        return True
    for slot in WITHOUT_TORCH:
        if any(part_faults(slot, slot, values.get(slot))):
            return True
    if any(any(section_faults(name, values[name])) for name in SECTIONS if name in values):
        return True
    named = {slot: values[slot] for slot in SLOTS if slot != "losses" and values.get(slot)}
    return any(
        not isinstance(spec, dict) or spec.get("type") not in SLOTS[slot].known()
        for slot, spec in named.items()
    )


def missing_videos(config: LoadedConfig) -> str:
    """Message about missing videos; empty if they are there, or are generated."""
    try:
        look_for_videos(config)
    except UserError as error:
        return str(error)
    return ""
