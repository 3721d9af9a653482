"""Where pretrained open_clip weights are: a local file, the local cache, or the hub."""

from pathlib import Path
from typing import Any

import open_clip

from fsarbench.backbones.hub import cached_file, fetch, weights_file
from fsarbench.backbones.tiny_clip.register import NAME as TINY
from fsarbench.backbones.tiny_clip.register import WEIGHTS as TINY_WEIGHTS
from fsarbench.errors import UserError, nearest

# The weights of fsarbench-tiny are named after what they were trained on, as open_clip's tags are.
TINY_TAG = "synthact"

HUB_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


def find_weights(model: str, pretrained: str) -> Path:
    """The weights file of an open_clip model.

    Args:
        model: An open_clip model name.
        pretrained: One of the model's open_clip tags, or the path of a file.

    Raises:
        UserError: There is neither such a tag nor such a file, or the download failed.
    """
    if (model, pretrained) == (TINY, TINY_TAG):
        return TINY_WEIGHTS
    tag = weights_tag(model, pretrained)
    if tag is not None:
        return cached(tag) or download(model, pretrained, tag)
    message = unknown_weights(model, pretrained)
    if message is not None:
        raise UserError(message)
    return weights_file(pretrained)


def unknown_weights(model: str, pretrained: str) -> str | None:
    """What is wrong with weights that are neither a tag of the model nor a file; else None."""
    tags = known_tags(model)
    path = weights_file(pretrained)
    if weights_tag(model, pretrained) is not None or pretrained in tags or path.is_file():
        return None
    return (
        f"pretrained='{pretrained}' is neither a weights tag of '{model}' nor a file "
        f"(looked for {path.absolute()}).{nearest(pretrained, tags)}"
    )


def known_tags(model: str) -> list[str]:
    """The weights tags of an open_clip model."""
    return [TINY_TAG] if model == TINY else list(open_clip.list_pretrained_tags_by_model(model))


def weights_tag(model: str, pretrained: str) -> dict[str, Any] | None:
    """What open_clip knows of a weights tag; None where it is no tag of that model."""
    return open_clip.get_pretrained_cfg(model, pretrained) or None


def cached(tag: dict[str, Any]) -> Path | None:
    """The file of a tag in the local caches of the hub and of open_clip."""
    repository, _, filename = tag.get("hf_hub", "").rpartition("/")
    found = cached_file(repository, [filename] if filename else HUB_FILES) if repository else None
    if found is not None:
        return found
    direct = Path("~/.cache/clip").expanduser() / Path(tag.get("url", "none")).name
    return direct if direct.is_file() else None


def download(model: str, pretrained: str, tag: dict[str, Any]) -> Path:
    """Download the weights of a tag from the hub, or from the tag's own address."""
    return fetch(
        f"'{pretrained}' of '{model}'",
        lambda: open_clip.download_pretrained(tag),
        elsewhere=" and ~/.cache/clip",
        options=", and text_encoder.pretrained=FILE where there is a text encoder",
        hub=bool(tag.get("hf_hub")),
    )
