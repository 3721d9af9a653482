"""Where the weights of a timm model are: a local file, the local cache, or the hub."""

from pathlib import Path
from pickle import UnpicklingError

import timm
from huggingface_hub import hf_hub_download
from safetensors import SafetensorError
from timm.models import load_state_dict
from torch import Tensor

from fsarbench.backbones.hub import cached_file, fetch, weights_file
from fsarbench.errors import UserError

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
