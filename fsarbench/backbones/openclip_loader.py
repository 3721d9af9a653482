"""Loading of open_clip models by name; backbones and text encoders use one of the two towers."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fsarbench.arguments.signatures import Conflict
from fsarbench.backbones.hub import fetch, first_line, quiet, weights_file
from fsarbench.backbones.openclip_library import complete, open_clip
from fsarbench.backbones.openclip_weights import (
    ELSEWHERE,
    TEXT_OPTION,
    TINY_TAG,
    cached,
    unknown_weights,
    weights_tag,
)
from fsarbench.backbones.tiny_clip.register import NAME as TINY
from fsarbench.backbones.tiny_clip.register import WEIGHTS as TINY_WEIGHTS
from fsarbench.backbones.tiny_clip.register import register as register_tiny
from fsarbench.errors import UserError, nearest


def find_weights(model: str, pretrained: str) -> Path:
    """Path of the weights file of an open_clip model, downloaded if necessary.

    Args:
        model: Model name of open_clip.
        pretrained: Weights tag of the model, or the path of a file.

    Raises:
        UserError: `pretrained` is neither a tag nor a file, or the download failed.
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


def download(model: str, pretrained: str, tag: dict[str, Any]) -> Path:
    """Download the weights of a tag from the hub, or from the tag's URL."""
    return fetch(
        f"'{pretrained}' of '{model}'",
        lambda: open_clip.download_pretrained(tag),
        elsewhere=ELSEWHERE,
        options=TEXT_OPTION,
        hub=bool(tag.get("hf_hub")),
    )


def load(model: str, pretrained: str | None = None, quick_gelu: bool | None = None) -> nn.Module:
    """Load an open_clip model in evaluation mode with all parameters frozen.

    Under `torch.device("meta")` it is built on the meta device, without weights.

    Args:
        model: Model name of open_clip, or `fsarbench-tiny`.
        pretrained: Weights tag of open_clip, a local file, or None for random weights.
        quick_gelu: Whether to use QuickGELU, as in OpenAI's weights; None follows the weights tag.

    Raises:
        UserError: Model or weights are unknown, or do not match.
    """
    for _, message in config_faults({"model": model, "pretrained": pretrained}):
        raise UserError(message)
    if quick_gelu is None:
        quick_gelu = bool(pretrained and (weights_tag(model, pretrained) or {}).get("quick_gelu"))
    device = torch.get_default_device()
    on_meta = device.type == "meta"
    weights = find_weights(model, pretrained) if pretrained and not on_meta else None
    clip = create(model, str(weights) if weights else None, quick_gelu, device)
    return clip.eval().requires_grad_(False)


def config_faults(given: Mapping[str, Any]) -> Iterator[Conflict]:
    """Models and weights that open_clip does not know, found without building a model.

    Args:
        given: Arguments of a component that loads an open_clip model.

    Yields:
        Faulty arguments and the error message.
    """
    register_tiny()
    model, pretrained = given.get("model"), given.get("pretrained")
    if model is None:
        return
    if model not in open_clip.list_models():
        suggestion = nearest(model, open_clip.list_models())
        yield ("model",), f"Unknown open_clip model '{model}'.{suggestion}"
    elif pretrained is not None:
        message = unknown_weights(model, pretrained)
        if message is not None:
            yield ("pretrained", "model"), message


def create(model: str, weights: str | None, quick_gelu: bool, device: torch.device) -> nn.Module:
    """Build a model with open_clip's public API."""
    complete(model)
    with quiet():
        try:
            # open_clip reads checkpoints with weights_only=True by default.
            return open_clip.create_model(
                model, pretrained=weights, force_quick_gelu=quick_gelu, device=device
            )
        except Exception as error:
            if weights is None:
                raise
            raise UserError(
                f"The weights file {weights} does not fit '{model}': {first_line(error)}. "
                "Name a weights file of this model, or the model of this file."
            ) from error
