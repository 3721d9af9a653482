"""Files of a model on the hub, and their limits.

What comes from the hub is data: the config is JSON, the weights are safetensors, and no code is
run. Other files of a repository are not downloaded.
"""

import json
from collections.abc import Mapping
from typing import Any

from fsarbench.config.loading import LoadedConfig
from fsarbench.errors import UserError
from fsarbench.results.run_result import RESULT
from fsarbench.results.strict_json import parse_json
from fsarbench.training.checkpoint import BEST

CONFIG = "config.json"
CARD = "README.md"
# Most bytes of each file.
LIMITS: Mapping[str, int] = {RESULT: 64 * 2**20, CONFIG: 2**20, BEST: 32 * 2**30}
# Keys that name folders of the machine of the run, and that no number depends on.
LOCAL_KEYS = (("evaluate", "features"), ("train", "trackers"))


def require_size(name: str, size: int | None, source: str) -> None:
    """Require that a file is not larger than its limit.

    Raises:
        UserError: The file is larger.
    """
    if size is not None and size > LIMITS[name]:
        raise UserError(
            f"{source}: {name} has {size:,} bytes, at most {LIMITS[name]:,} are read. It was not "
            "written by `fsarbench push`."
        )


def read_object(content: bytes, source: str) -> dict[str, Any]:
    """Object of a JSON file.

    Args:
        content: The file.
        source: Its name, for messages.

    Raises:
        UserError: The file is no JSON, no object, or has NaN, infinite numbers or a key twice.
    """
    found = parse_json(content, source)
    if not isinstance(found, dict):
        raise UserError(f"{source} is no JSON object.")
    return found


def refuse_code(values: Mapping[str, Any], source: str) -> None:
    """Refuse a config that names modules to import.

    Raises:
        UserError: The config has `custom_imports`.
    """
    if "custom_imports" in values:
        raise UserError(
            f"{source}: custom_imports is {values['custom_imports']!r}. A model from the hub can "
            "only use components that are installed, because importing a module runs its code. "
            "Publish the components as a package with the entry point `fsarbench.parts` "
            "(docs/extend.md) and install it; then the config needs no custom_imports."
        )


def without_local_keys(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a config without keys that name folders and services of one machine.

    Example:
        >>> without_local_keys({"evaluate": {"features": "/tmp/store", "seed": 0}})
        {'evaluate': {'seed': 0}}
    """
    kept = {key: dict(value) if isinstance(value, dict) else value for key, value in values.items()}
    for section, key in LOCAL_KEYS:
        if isinstance(kept.get(section), dict):
            kept[section].pop(key, None)
    return kept


def config_bytes(loaded: LoadedConfig, source: str) -> bytes:
    """Config as JSON; tuples become lists, which arguments accept in their place.

    Raises:
        UserError: The config has values that JSON does not have.
    """
    try:
        text = json.dumps(loaded.values, indent=2, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UserError(f"{source}: the config cannot be written as JSON ({error}).") from None
    return f"{text}\n".encode()
