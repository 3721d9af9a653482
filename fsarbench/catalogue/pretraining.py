"""Training data of known pretrained weights, and overlap with the test classes of data sets."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import PurePath
from typing import Any

from fsarbench.catalogue.cards import cards
from fsarbench.catalogue.package_data import resource

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib

RULES = "test_classes.toml"


@dataclass(frozen=True)
class SeenData:
    """Training data of pretrained weights.

    Attributes:
        data: Names of the data sets; empty for random weights.
        labels: Whether the class labels were used.
    """

    data: tuple[str, ...] = ()
    labels: bool = False


def seen_data(backbone: Mapping[str, Any]) -> SeenData | None:
    """Training data of the weights of a backbone, from its card; None if it is unknown.

    Args:
        backbone: Section `backbone` of a config.

    Example:
        >>> seen_data({"type": "TorchvisionVideo", "pretrained": "KINETICS400_V1"})
        SeenData(data=('kinetics-400',), labels=True)
        >>> seen_data({"type": "TorchvisionVideo", "pretrained": "mine.safetensors"}) is None
        True
    """
    pretrained = backbone.get("pretrained")
    card = next((c for c in cards() if (c.slot, c.name) == ("backbone", backbone["type"])), None)
    if card is None or "pretrained" not in {*card.optional, *card.defaults}:
        return None
    if pretrained in (None, False):
        return SeenData()
    # With True, the model name of timm determines the weights.
    named = backbone.get("model", "") if pretrained is True else pretrained
    weights = PurePath(str(named)).name
    for known in card.seen_data:
        if any(fnmatchcase(weights, pattern) for pattern in known["weights"]):
            return SeenData(tuple(known["data"]), known["labels"])
    return None


def seen_record(backbone: Mapping[str, Any]) -> dict[str, Any] | None:
    """Training data of the weights of a backbone, as stored in results and feature folders."""
    seen = seen_data(backbone)
    return None if seen is None else {"data": list(seen.data), "labels": seen.labels}


@cache
def holders() -> Mapping[str, frozenset[str]]:
    """Names of training data that contain test classes of a data set, by data set."""
    with (resource("registry") / RULES).open("rb") as stream:
        return {name: frozenset(data) for name, data in tomllib.load(stream).items()}


def overlap(seen: SeenData, dataset: str) -> str:
    """Remark on weights that were trained on test classes of a data set; may be empty.

    Example:
        >>> overlap(SeenData(("kinetics-400",), labels=True), "kinetics100")
        'pretrained on kinetics-400, which contains the test classes, with their labels'
        >>> overlap(SeenData(("kinetics-400",), labels=True), "ssv2")
        ''
    """
    overlapping = [name for name in seen.data if name in holders().get(dataset, ())]
    if not overlapping:
        return ""
    verb = "contain" if len(overlapping) > 1 else "contains"
    use = "with their labels" if seen.labels else "without labels"
    return f"pretrained on {' and '.join(overlapping)}, which {verb} the test classes, {use}"
