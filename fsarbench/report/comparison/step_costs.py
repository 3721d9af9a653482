"""Cost of training steps, read from a file of `fsarbench profile --json`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsarbench.errors import UserError
from fsarbench.report.comparison.rows import Row
from fsarbench.results.config_diff import flatten

SCHEMA = 1
# Config sections that determine the cost of a step; the values of the weights do not.
COST_SECTIONS = (
    "adapter",
    "backbone",
    "branches",
    "clips",
    "episodes",
    "losses",
    "matcher",
    "neck",
    "prototypes",
    "text_encoder",
)
WEIGHTS = (".pretrained", ".quick_gelu")


@dataclass(frozen=True)
class Cost:
    """Cost of one training step of a config.

    Attributes:
        operations: Floating-point operations, 1 multiply-add = 2; None if nothing is trained.
        memory: Peak memory of tensors in bytes; measured on the GPU where available.
        seconds: Median time in seconds; None if time was not measured.
    """

    operations: int | None
    memory: int | None
    seconds: float | None


class Profile:
    """Training costs of profiled configs, looked up by config content and not by name.

    Args:
        path: File written by `fsarbench profile --json`.

    Attributes:
        device: Device of the time measurements.

    Raises:
        UserError: The file was not written by `fsarbench profile --json`.
    """

    def __init__(self, path: Path) -> None:
        content = read(path)
        self.path = path
        self.device = str(content["device"].get("name", content["device"]["type"]))
        self._costs = {cost_keys(flatten(r["config"])): cost(r) for r in content["configs"]}

    def of(self, row: Row) -> Cost | None:
        """Return the cost of a training step of a row; None if its config was not profiled."""
        return self._costs.get(cost_keys(row.first.config))

    def missing(self, rows: Sequence[Row]) -> list[str]:
        """Return the names of the rows whose configs were not profiled."""
        return [row.name for row in rows if self.of(row) is None]


def read(path: Path) -> dict[str, Any]:
    """Read a file of `fsarbench profile --json`.

    Raises:
        UserError: The file is missing, not JSON, or of another schema.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"--profile {path} cannot be read ({type(error).__name__}). Write one with "
            "`fsarbench profile CONFIG... --json FILE`."
        ) from None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA or "configs" not in content:
        raise UserError(
            f"--profile {path} was not written by `fsarbench profile --json` of this version. "
            "Write it again."
        )
    return content


def cost_keys(config: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """Keys and values of a flat config that determine the cost of a step."""
    return frozenset(
        (key, value)
        for key, value in config.items()
        if key.partition(".")[0] in COST_SECTIONS and not key.endswith(WEIGHTS)
    )


def cost(record: Mapping[str, Any]) -> Cost:
    """Return the cost of one profiled config."""
    measured = (record["measured"] or {}).get("train_step") or {}
    computed = (record["memory"]["training"] or {}).get("total")
    return Cost(
        operations=(record["operations"]["training"] or {}).get("step"),
        memory=(measured.get("memory") or {}).get("tensors", computed),
        seconds=(measured.get("timing") or {}).get("median"),
    )
