"""Whole timm models, loaded by name without their classifier."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import timm
import torch
from huggingface_hub import hf_hub_download
from safetensors import SafetensorError
from timm.models import load_state_dict
from torch import Tensor, nn

from fsarbench.arguments.signatures import Conflict
from fsarbench.backbones.hub import cached_file, fetch, first_line, quiet, weights_file
from fsarbench.errors import UserError, closest, nearest

HUB_FILES = ("model.safetensors", "pytorch_model.bin")


def find_weights(model: str, pretrained: bool | str) -> Path:
    """The weights file of a timm model.

    Args:
        model: A timm model name, with or without a tag.
        pretrained: True for the model's weights on the hub, or the path of a file.

    Raises:
        UserError: There are no such weights, or the download failed.
    """
    if isinstance(pretrained, str):
        message = missing_file(pretrained)
        if message is not None:
            raise UserError(message)
        return weights_file(pretrained)
    return hub_file(model)


def missing_file(pretrained: str) -> str | None:
    """What is wrong with a weights file that is not there; None if it is."""
    path = weights_file(pretrained)
    if path.is_file():
        return None
    return (
        f"pretrained='{pretrained}' is no file (looked for {path.absolute()}). Give "
        "a file, or True for the weights that timm names."
    )


def hub_file(model: str) -> Path:
    """The file of a model's own weights, from the cache or the hub.

    Raises:
        UserError: timm names no weights for the model, or they cannot be fetched.
    """
    facts = timm.get_pretrained_cfg(model)
    repository = facts.hf_hub_id if facts else None
    if not repository:
        known = ", ".join(timm.list_models(f"{model}*", pretrained=True)[:5])
        raise UserError(
            f"timm names no weights on the hub for '{model}'. Write a tag behind the name "
            f"({known or 'none known'}), or pretrained=FILE."
        )
    found = cached_file(repository, HUB_FILES)
    if found is not None:
        return found
    return fetch(f"of '{model}'", lambda: hf_hub_download(repository, HUB_FILES[0]))


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a file; nothing in it is executed.

    Raises:
        UserError: The file is no weights file.
    """
    try:
        return load_state_dict(str(path), device="cpu", weights_only=True)
    except (RuntimeError, UnpicklingError, SafetensorError, EOFError, OSError) as error:
        raise UserError(
            f"{path} cannot be read as weights ({type(error).__name__}: {str(error)[:200]}). It "
            "takes safetensors, or a file of torch.save that holds nothing but tensors."
        ) from error


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
