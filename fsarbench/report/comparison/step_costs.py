"""What training costs, taken from a file of `fsarbench profile` into the comparison of runs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsarbench.errors import UserError
from fsarbench.report.comparison.rows import Row
from fsarbench.results.config_diff import flat

SCHEMA = 1
# The sections of a config that decide what a step costs; weights cost the same whatever they are.
DECIDING = (
    "adapter",
    "backbone",
    "clips",
    "episodes",
    "losses",
    "matcher",
    "prototypes",
    "text_encoder",
)
WEIGHTS = (".pretrained", ".quick_gelu")


@dataclass(frozen=True)
class Cost:
    """One training step of an assembly.

    Attributes:
        operations: Floating-point operations, 1 multiply-add = 2; None where nothing is trained.
        memory: The peak of its tensors in bytes; the GPU's own where it was measured.
        seconds: Median; None where no time was measured.
    """

    operations: int | None
    memory: int | None
    seconds: float | None


class Profile:
    """The costs of some configs, found by what a config says and not by its name.

    Args:
        path: The file that `fsarbench profile --json` wrote.

    Attributes:
        device: Where time was measured.

    Raises:
        UserError: It is no such file.
    """

    def __init__(self, path: Path) -> None:
        content = read(path)
        self.path = path
        self.device = str(content["device"].get("name", content["device"]["type"]))
        self._costs = {assembly(flat(r["config"])): cost(r) for r in content["configs"]}

    def of(self, row: Row) -> Cost | None:
        """The cost of what a row's runs trained; None where the file has no such assembly."""
        return self._costs.get(assembly(row.first.config))

    def missing(self, rows: Sequence[Row]) -> list[str]:
        """The rows that the file says nothing of."""
        return [row.name for row in rows if self.of(row) is None]


def read(path: Path) -> dict[str, Any]:
    """The content of a profile's file.

    Raises:
        UserError: It is missing, no JSON, or of another kind.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"--profile {path}: not readable ({type(error).__name__}). Write one with "
            "`fsarbench profile CONFIG... --json FILE`."
        ) from None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA or "configs" not in content:
        raise UserError(
            f"--profile {path} is no file of this version's `fsarbench profile --json`; write it "
            "again."
        )
    return content


def assembly(config: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """What of a flat config decides the cost of a step."""
    return frozenset(
        (key, value)
        for key, value in config.items()
        if key.partition(".")[0] in DECIDING and not key.endswith(WEIGHTS)
    )


def cost(record: Mapping[str, Any]) -> Cost:
    """The cost of one config of a profile's file."""
    measured = (record["measured"] or {}).get("train_step") or {}
    computed = (record["memory"]["training"] or {}).get("total")
    return Cost(
        operations=(record["operations"]["training"] or {}).get("step"),
        memory=(measured.get("memory") or {}).get("tensors", computed),
        seconds=(measured.get("timing") or {}).get("median"),
    )
