"""Search for the weights of a component before torch is imported, which takes seconds."""

from collections.abc import Callable, Mapping
from typing import Any

from fsarbench.backbones.hub import (
    SAFETENSORS,
    cached_file,
    reach_hub,
    unreachable,
    weights_file,
)
from fsarbench.backbones.openclip_weights import (
    ELSEWHERE,
    TEXT_OPTION,
    TINY_TAG,
    cached,
    known_tags,
    unknown_weights,
    weights_tag,
)
from fsarbench.backbones.tiny_clip.register import NAME as TINY
from fsarbench.errors import UserError


def wrong_name(component: str, given: Mapping[str, Any]) -> str | None:
    """Error message if the weights' name stands for nothing that the library knows; else None.

    Only what is found without torch is reported: names of open_clip, and files for timm.

    Args:
        component: Name of the component.
        given: Arguments in the config.
    """
    pretrained, model = given.get("pretrained"), given.get("model")
    if not isinstance(pretrained, str):
        return None
    if component in OPEN_CLIP and isinstance(model, str):
        # A model without tags may be unknown, which is a fault of its own.
        return unknown_weights(model, pretrained) if known_tags(model) else None
    return missing_file(pretrained) if component in TIMM else None


def missing_file(pretrained: str) -> str | None:
    """Error message if a weights file for a model of timm does not exist; else None."""
    path = weights_file(pretrained)
    if path.is_file():
        return None
    return (
        f"pretrained='{pretrained}' is not a file (looked for {path.absolute()}). Give "
        "a file, or True for timm's weights."
    )


def require_download(component: str, given: Mapping[str, Any]) -> None:
    """Ask whether weights can be downloaded that are on the hub and not on this machine.

    Args:
        component: Name of the component.
        given: Arguments in the config.

    Raises:
        UserError: The hub does not answer.
    """
    search = SEARCHES.get(component)
    if search is not None and isinstance(given.get("pretrained"), str):
        search(given)


def search_open_clip(given: Mapping[str, Any]) -> None:
    """Search for the weights of a tag of open_clip; raises as `require_download`."""
    model, pretrained = str(given.get("model")), given["pretrained"]
    tag = None if (model, pretrained) == (TINY, TINY_TAG) else weights_tag(model, pretrained)
    if tag is not None and tag.get("hf_hub") and cached(tag) is None:
        require_hub(f"'{pretrained}' of '{model}'", elsewhere=ELSEWHERE, options=TEXT_OPTION)


def search_transformers(given: Mapping[str, Any]) -> None:
    """Search for the weights of a model of transformers; raises as `require_download`."""
    pretrained = given["pretrained"]
    if pretrained.count("/") != 1 or weights_file(pretrained).exists():
        return
    if cached_file(pretrained, SAFETENSORS) is None:
        require_hub(f"of '{pretrained}'", local="folder")


def require_hub(weights: str, **place: str) -> None:
    """Reach the hub, or say which weights are missing.

    Args:
        weights: Description of the weights.
        place: Further arguments of `unreachable`.

    Raises:
        UserError: The hub does not answer.
    """
    try:
        reach_hub()
    except Exception as error:
        raise UserError(unreachable(weights, error, **place)) from error


OPEN_CLIP = ("OpenClipViT", "OpenClipResNet", "OpenClipText")
TIMM = ("TimmViT", "TimmCNN")
SEARCHES: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
    **dict.fromkeys(OPEN_CLIP, search_open_clip),
    "HFVideoBackbone": search_transformers,
}
