"""Names and places of open_clip's weights, without importing torch.

open_clip itself imports torch and torchvision, which takes seconds. Its list of weights is a module
that needs neither, so that missing weights are found first.
"""

import importlib
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from fsarbench.backbones.hub import as_if_absent, cached_file, weights_file
from fsarbench.backbones.tiny_clip.register import NAME as TINY
from fsarbench.errors import nearest

# The weights of fsarbench-tiny are named after their training data, like open_clip's tags.
TINY_TAG = "synthact"

# Folder in which open_clip keeps weights that are not from the hub, for error messages.
ELSEWHERE = " and ~/.cache/clip"
TEXT_OPTION = ", and text_encoder.pretrained=FILE if there is a text encoder"

HUB_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")

# Name under which the list is imported beside open_clip.
TABLES = "_fsarbench_open_clip_tables"


@cache
def tag_tables() -> Any:
    """Module `open_clip.pretrained`, imported without the package around it.

    It imports torch through safetensors only, which it does not need for its list.
    """
    package = ModuleType(TABLES)
    spec = find_spec("open_clip")
    package.__path__ = list(spec.submodule_search_locations or ()) if spec else []
    sys.modules[TABLES] = package
    with as_if_absent("safetensors"):
        return importlib.import_module(f"{TABLES}.pretrained")


def unknown_weights(model: str, pretrained: str) -> str | None:
    """Error message if the weights are neither a tag of the model nor a file; else None."""
    tags = known_tags(model)
    path = weights_file(pretrained)
    if weights_tag(model, pretrained) is not None or pretrained in tags or path.is_file():
        return None
    return (
        f"pretrained='{pretrained}' is neither a weights tag of '{model}' nor a file "
        f"(looked for {path.absolute()}).{nearest(pretrained, tags)}"
    )


def known_tags(model: str) -> list[str]:
    """Weights tags of an open_clip model."""
    return [TINY_TAG] if model == TINY else list(tag_tables().list_pretrained_tags_by_model(model))


def weights_tag(model: str, pretrained: str) -> dict[str, Any] | None:
    """Entry of a weights tag in open_clip; None if it is not a tag of that model."""
    return tag_tables().get_pretrained_cfg(model, pretrained) or None


def cached(tag: dict[str, Any]) -> Path | None:
    """Path of a tag's weights in the local caches of the hub and of open_clip; None if absent."""
    repository, _, filename = tag.get("hf_hub", "").rpartition("/")
    names = [filename] if filename else HUB_FILES
    hub_path = cached_file(repository, names) if repository else None
    if hub_path is not None:
        return hub_path
    clip_path = Path("~/.cache/clip").expanduser() / Path(tag.get("url", "none")).name
    return clip_path if clip_path.is_file() else None
