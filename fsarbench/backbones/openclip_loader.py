"""Whole open_clip models, loaded by name; the backbones and text encoders take their towers."""

from collections.abc import Iterator, Mapping
from typing import Any

import open_clip
import torch
from torch import nn

from fsarbench.arguments.signatures import Conflict
from fsarbench.backbones.hub import first_line, quiet
from fsarbench.backbones.tiny_clip.register import register as register_tiny
from fsarbench.backbones.weights import find_weights, unknown_weights, weights_tag
from fsarbench.errors import UserError, nearest


def load(model: str, pretrained: str | None = None, quick_gelu: bool | None = None) -> nn.Module:
    """An open_clip model in evaluation mode, all parameters frozen.

    Under `torch.device("meta")` it is built there, without weights.

    Args:
        model: An open_clip model name, or `fsarbench-tiny`.
        pretrained: A weights tag of open_clip, a local file, or None for random weights.
        quick_gelu: The activation of OpenAI's weights; None takes what the tag was trained with.

    Raises:
        UserError: The model or its weights are not known, or do not fit together.
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
    """Models and weights that open_clip does not know, found without building anything.

    Args:
        given: Arguments of a component that loads an open_clip model.

    Yields:
        Pairs of the arguments at fault, and what is wrong with them.
    """
    register_tiny()
    model, pretrained = given.get("model"), given.get("pretrained")
    if model is None:
        return
    if model not in open_clip.list_models():
        known = nearest(model, open_clip.list_models())
        yield ("model",), f"Unknown open_clip model '{model}'.{known}"
    elif pretrained is not None:
        message = unknown_weights(model, pretrained)
        if message is not None:
            yield ("pretrained", "model"), message


def create(model: str, weights: str | None, quick_gelu: bool, device: torch.device) -> nn.Module:
    """Build a model by open_clip's public API."""
    with quiet():
        try:
            # open_clip reads checkpoints with weights_only=True unless told otherwise.
            return open_clip.create_model(
                model, pretrained=weights, force_quick_gelu=quick_gelu, device=device
            )
        except Exception as error:
            if weights is None:
                raise
            raise UserError(
                f"The weights file {weights} does not fit '{model}': {first_line(error)}. "
                "Name the file of this very model, or another model."
            ) from error
