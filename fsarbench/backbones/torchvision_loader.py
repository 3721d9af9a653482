"""Loading of torchvision's video models by name, without their classifier."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import torchvision
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from fsarbench.arguments.signatures import Conflict
from fsarbench.backbones.hub import first_line, weights_file
from fsarbench.errors import UserError, nearest

# Attribute that holds the classifier, by the first letters of a model's name.
CLASSIFIERS = {"s3d": "classifier", "swin3d": "head", "mvit": "head"}


def weights_of(model: str, pretrained: str | None) -> Any:
    """Weights of torchvision that a name stands for, or the default ones for their transforms.

    Args:
        model: Name of the model.
        pretrained: Name of weights, path of a file, or None.
    """
    known = torchvision.models.get_model_weights(model)
    return known.__members__.get(pretrained or "DEFAULT", known.DEFAULT)


def config_faults(given: Mapping[str, Any]) -> Iterator[Conflict]:
    """Unknown weights, found without building a model.

    Args:
        given: Arguments of `TorchvisionVideo`, without those that do not fit their annotations.

    Yields:
        Faulty arguments and the error message.
    """
    model, pretrained = given.get("model"), given.get("pretrained")
    if model is not None and model.startswith("mvit") and given.get("image_size"):
        size = weights_of(model, None).transforms().crop_size[0]
        if given["image_size"] != size:
            yield ("image_size", "model"), f"'{model}' takes images of {size} pixels; leave it out"
    if model is not None and pretrained is not None:
        yield from weights_faults(model, pretrained)


def weights_faults(model: str, pretrained: str) -> Iterator[Conflict]:
    """Weights that are neither known to torchvision nor a safetensors file."""
    known = torchvision.models.get_model_weights(model).__members__
    path = weights_file(pretrained)
    if pretrained in known:
        return
    if not path.is_file():
        yield (
            ("pretrained", "model"),
            f"pretrained='{pretrained}' is neither weights of torchvision for '{model}' nor a file "
            f"(looked for {path.absolute()}).{nearest(pretrained, known)}",
        )
    elif path.suffix != ".safetensors":
        yield (
            ("pretrained",),
            f"pretrained='{pretrained}' is not a safetensors file. Write its tensors with "
            "safetensors.torch.save_file.",
        )


def load(model: str, pretrained: str | None) -> nn.Module:
    """Load a video model in evaluation mode with all parameters frozen, without its classifier.

    Under `torch.device("meta")` it is built on the meta device, without weights.

    Args:
        model: Name of the model.
        pretrained: Name of weights, path of a safetensors file, or None for random weights.

    Raises:
        UserError: The weights are unknown, cannot be downloaded, or do not match.
    """
    for _, message in config_faults({"model": model, "pretrained": pretrained}):
        raise UserError(message)
    built = torchvision.models.get_model(model, weights=None)
    classifier = CLASSIFIERS.get(re.split(r"_|$", model)[0], "fc")
    setattr(built, classifier, nn.Identity())
    if pretrained is not None and torch.get_default_device().type != "meta":
        state = read_weights(model, pretrained)
        load_strictly(built, state, classifier, f"'{pretrained}' do not fit '{model}'")
    return built.eval().requires_grad_(False)


def read_weights(model: str, pretrained: str) -> dict[str, Tensor]:
    """Tensors of a weights file, read without executing any code in it.

    Raises:
        UserError: The download failed, or the file is not a weights file.
    """
    known = torchvision.models.get_model_weights(model).__members__
    try:
        if pretrained not in known:
            return load_file(weights_file(pretrained))
        return known[pretrained].get_state_dict(
            progress=False, check_hash=True, map_location="cpu", weights_only=True
        )
    except (OSError, RuntimeError, SafetensorError) as error:
        if pretrained not in known:
            raise UserError(
                f"{pretrained} cannot be read as weights: {first_line(error)}"
            ) from error
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise UserError(
            f"The weights '{pretrained}' of '{model}' are not on this machine and cannot be "
            f"downloaded ({first_line(error)}). Looked in {folder}. Put "
            f"{Path(known[pretrained].url).name} there, or name a safetensors file: "
            "--set backbone.pretrained=FILE."
        ) from error


def load_strictly(
    model: nn.Module, state: Mapping[str, Tensor], classifier: str, title: str
) -> None:
    """Load weights of which only the classifier may be left over.

    Args:
        model: Model without its classifier.
        state: Weights by name.
        classifier: Name of the classifier in the weights.
        title: Start of the error message.

    Raises:
        UserError: The weights lack a parameter, have another one, or another shape.
    """
    kept = {name: value for name, value in state.items() if name.split(".")[0] != classifier}
    try:
        model.load_state_dict(kept)
    except RuntimeError as error:
        raise UserError(
            f"The weights {title}: {first_line(error)}. Name weights of this model, or the model "
            "of these weights."
        ) from error
