"""Construction of single components from a checked config; importing this module is cheap.

Data sets and readers do not import torch, so a run can look for its videos before torch is loaded.
"""

from collections.abc import Mapping
from typing import Any

from fsarbench.arguments.signatures import coerce, parameters
from fsarbench.config.loading import OUTER_KEYS
from fsarbench.config.validation import OFFERED, TAKES_SIZES
from fsarbench.data.datasets.cross_domain import CrossDomain
from fsarbench.errors import UserError
from fsarbench.registry import SLOTS
from fsarbench.video import VideoDataset, VideoReader

Values = Mapping[str, Any]


def build_component(
    slot: str, spec: Values | None, sizes: Values | None = None, key: str | None = None
) -> Any:
    """Build a component; sizes that its constructor has as arguments are filled in.

    Args:
        slot: Slot of the component.
        spec: Config `dict(type=...)`; None for an empty optional slot.
        sizes: Sizes by the name of the argument.
        key: Config key for messages; None if it is the slot.

    Raises:
        UserError: Its constructor failed; the message names key and type.
    """
    if spec is None:
        return None
    component = SLOTS[slot].find(spec["type"])
    outer = {"type", *OUTER_KEYS.get(slot, ())}
    given = {name: value for name, value in spec.items() if name not in outer}
    if slot in TAKES_SIZES and sizes is not None:
        wanted = OFFERED.intersection(parameters(component))
        given |= {name: sizes[name] for name in wanted}
    try:
        return component(**coerce(component, given))
    except Exception as error:
        kind = "" if isinstance(error, UserError | ValueError) else f"{type(error).__name__}: "
        named = "" if str(error).startswith(f"{spec['type']}: ") else f"{spec['type']}: "
        raise UserError(f"{key or slot}: {named}{kind}{error}") from error


def build_dataset(values: Values) -> VideoDataset:
    """The data set; its videos are not looked for yet.

    With the key `test`, test classes come from another data set.
    """
    spec = values["dataset"]
    source = build_component("dataset", spec)
    if not spec.get("test"):
        return source
    target = build_component("dataset", spec["test"], key="dataset.test")
    return CrossDomain(source, target, spec.get("exclude") or ())


def dataset_name(values: Values) -> str:
    """Component of the data set, or `TRAIN -> TEST` if the test classes are of another one."""
    spec = values["dataset"]
    test = spec.get("test")
    return f"{spec['type']} -> {test['type']}" if test else str(spec["type"])


def build_reader(values: Values) -> VideoReader:
    """The video reader; that of the data set where the config has none."""
    return build_component("reader", values.get("reader") or {"type": default_reader(values)})


def default_reader(values: Values) -> str:
    """Name of the reader of a config without the key `reader`."""
    spec = values.get("dataset")
    dataset = VideoDataset if spec is None else SLOTS["dataset"].find(spec["type"])
    return dataset.default_reader
