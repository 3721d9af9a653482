"""Loading of timm models by name, without their classifier."""

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
from fsarbench.backbones.missing_weights import missing_file
from fsarbench.errors import UserError, closest, nearest

HUB_FILES = ("model.safetensors", "pytorch_model.bin")


def find_weights(model: str, pretrained: bool | str) -> Path:
    """Path of the weights file of a timm model, downloaded if necessary.

    Args:
        model: Model name of timm, with or without a tag.
        pretrained: True for the model's weights on the hub, or the path of a file.

    Raises:
        UserError: The weights do not exist, or the download failed.
    """
    if isinstance(pretrained, str):
        message = missing_file(pretrained)
        if message is not None:
            raise UserError(message)
        return weights_file(pretrained)
    return hub_file(model)


def hub_file(model: str) -> Path:
    """Path of the model's weights, from the cache or the hub.

    Raises:
        UserError: timm lists no weights for the model, or the download failed.
    """
    pretrained_cfg = timm.get_pretrained_cfg(model)
    repository = pretrained_cfg.hf_hub_id if pretrained_cfg else None
    if not repository:
        known = ", ".join(timm.list_models(f"{model}*", pretrained=True)[:5])
        raise UserError(
            f"timm lists no weights on the hub for '{model}'. Add a tag to the name "
            f"({known or 'none known'}), or set pretrained=FILE."
        )
    cached = cached_file(repository, HUB_FILES)
    if cached is not None:
        return cached
    return fetch(f"of '{model}'", lambda: hf_hub_download(repository, HUB_FILES[0]))


def read_weights(path: Path) -> dict[str, Tensor]:
    """Tensors of a weights file, read without executing any code in it.

    Raises:
        UserError: The file is not a weights file.
    """
    try:
        return load_state_dict(str(path), device="cpu", weights_only=True)
    except (RuntimeError, UnpicklingError, SafetensorError, EOFError, OSError) as error:
        raise UserError(
            f"{path} cannot be read as weights ({type(error).__name__}: {str(error)[:200]}). Name "
            "a safetensors file, or a file of torch.save that contains only tensors."
        ) from error


def load(
    model: str,
    pretrained: bool | str = False,
    image_size: int | None = None,
    drop_path: float = 0.0,
) -> nn.Module:
    """Load a timm model for pooled features, in evaluation mode with all parameters frozen.

    Under `torch.device("meta")` it is built on the meta device, without weights.

    Args:
        model: Model name of timm, with or without a tag.
        pretrained: True for timm's weights, a local file, or False for random weights.
        image_size: Side length of the input in pixels, for models of a fixed size; None is the
            model's default.
        drop_path: Stochastic depth rate in training.

    Raises:
        UserError: Model or weights are unknown, or do not match.
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
    """Unknown models, tags and files, found without building a model.

    Args:
        given: Arguments of a component that loads a timm model.

    Yields:
        Faulty arguments and the error message.
    """
    model, pretrained = given.get("model"), given.get("pretrained")
    message = None if model is None else unknown_model(model)
    if message is not None:
        yield ("model",), message
    message = missing_file(pretrained) if isinstance(pretrained, str) else None
    if message is not None:
        yield ("pretrained",), message


def unknown_model(model: str) -> str | None:
    """Error message with the nearest names if timm does not know a model or tag; else None."""
    name, _, tag = model.partition(".")
    if not timm.is_model(name):
        names = timm.list_models()
        return (
            f"Unknown timm model '{model}'.{closest(name, names)} "
            f"timm.list_models() lists all {len(names)}."
        )
    try:
        timm.get_pretrained_cfg(model)
    except RuntimeError:
        known = timm.list_models(f"{name}.*", pretrained=True)
        return f"timm has no tag '{tag}' of '{name}'.{nearest(model, known)}"
    return None


def create_with(model: str, path: Path, options: dict[str, Any]) -> nn.Module:
    """Model with the weights of a file, loaded strictly.

    Without a classifier timm would load the file with strict=False and not notice a wrong file.
    The model is therefore built with the file's classifier, which is removed afterwards.

    Raises:
        UserError: The file does not match the model.
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
            "Name a weights file of this model, or the model of this file."
        ) from error
    built.reset_classifier(0)
    # timm keeps a reference to the loaded tensors, which would double the memory.
    built.pretrained_cfg.pop("state_dict", None)
    return built


def class_count(model: str, state: dict[str, Tensor]) -> int:
    """Number of classes of the classifier in a weights file; 0 without a classifier."""
    pretrained_cfg = timm.get_pretrained_cfg(model)
    names = pretrained_cfg.classifier if pretrained_cfg else None
    first = names if isinstance(names, str) or names is None else names[0]
    weight = state.get(f"{first}.weight")
    return 0 if weight is None else weight.shape[0]
