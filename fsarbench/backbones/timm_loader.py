"""Whole timm models, loaded by name without their classifier."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from fsarbench.arguments.signatures import Conflict
from fsarbench.backbones.hub import first_line, quiet
from fsarbench.backbones.timm_weights import find_weights, missing_file, read_weights
from fsarbench.errors import UserError, closest, nearest


def load(
    model: str,
    pretrained: bool | str = False,
    image_size: int | None = None,
    drop_path: float = 0.0,
) -> nn.Module:
    """A timm model in evaluation mode, all parameters frozen, that gives pooled features.

    Under `torch.device("meta")` it is built there, without weights.

    Args:
        model: A timm model name, with or without a tag.
        pretrained: True for timm's own weights, a local file, or False for random weights.
        image_size: Pixels of a side, where the model is made for one; None is its own.
        drop_path: The rate of stochastic depth in training.

    Raises:
        UserError: The model or its weights are not known, or do not fit together.
    """
    for _, message in config_faults({"model": model, "pretrained": pretrained}):
        raise UserError(message)
    options: dict[str, Any] = {"img_size": image_size, "drop_path_rate": drop_path or None}
    on_meta = torch.get_default_device().type == "meta"
    with quiet():
        if pretrained is False or on_meta:
            built = timm.create_model(model, num_classes=0, **options)
        else:
            built = create_with(model, find_weights(model, pretrained), options)
    return built.eval().requires_grad_(False)


def config_faults(given: Mapping[str, Any]) -> Iterator[Conflict]:
    """Models, tags and files that are not known, found without building anything.

    Args:
        given: Arguments of a component that loads a timm model.

    Yields:
        Pairs of the arguments at fault, and what is wrong with them.
    """
    model, pretrained = given.get("model"), given.get("pretrained")
    message = None if model is None else unknown_model(model)
    if message is not None:
        yield ("model",), message
    message = missing_file(pretrained) if isinstance(pretrained, str) else None
    if message is not None:
        yield ("pretrained",), message


def unknown_model(model: str) -> str | None:
    """What is wrong with a model or a tag that timm does not know, and what is near; else None."""
    name, _, tag = model.partition(".")
    if not timm.is_model(name):
        names = timm.list_models()
        return (
            f"Unknown timm model '{model}'.{closest(name, names)} "
            f"timm.list_models() gives all {len(names)}."
        )
    try:
        timm.get_pretrained_cfg(model)
    except RuntimeError:
        known = timm.list_models(f"{name}.*", pretrained=True)
        return f"timm knows no tag '{tag}' of '{name}'.{nearest(model, known)}"
    return None


def create_with(model: str, path: Path, options: dict[str, Any]) -> nn.Module:
    """A model with the weights of a file, every one of them used.

    Left to itself timm loads a file loosely as soon as the classifier is dropped, so that a wrong
    file goes unnoticed. So the model is built with the file's classifier and loses it afterwards.

    Raises:
        UserError: The file is not of this model.
    """
    state = read_weights(path)
    classes = class_count(model, state)
    overlay = {"state_dict": state, "num_classes": classes, "label_offset": 0}
    try:
        built = timm.create_model(
            model, pretrained=True, pretrained_cfg_overlay=overlay, num_classes=classes, **options
        )
    except Exception as error:
        raise UserError(
            f"The weights file {path} does not fit '{model}': {first_line(error)}. "
            "Name the file of this very model, or another model."
        ) from error
    built.reset_classifier(0)
    # timm keeps the tensors that it was given: the weights would be held twice.
    built.pretrained_cfg.pop("state_dict", None)
    return built


def class_count(model: str, state: dict[str, Tensor]) -> int:
    """The classes of the classifier in a file; 0 without one."""
    facts = timm.get_pretrained_cfg(model)
    names = facts.classifier if facts else None
    first = names if isinstance(names, str) or names is None else names[0]
    weight = state.get(f"{first}.weight")
    return 0 if weight is None else weight.shape[0]
