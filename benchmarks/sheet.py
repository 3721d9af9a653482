"""Results of the suites on one device, as JSON: `results/<device>.json`."""

import json
import os
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch

from fsarbench.runtime.atomic_files import write_text
from fsarbench.runtime.environment import describe_device, versions

RESULTS = Path(__file__).with_name("results")
Row = dict[str, Any]


def conditions(device: torch.device, sizes: str) -> dict[str, Any]:
    """What the times were measured with; they hold for nothing else."""
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "device": describe_device(device),
        "sizes": sizes,
        "versions": versions(),
        # Other programs that run at the same time; each counts for one.
        "load": [round(load, 1) for load in os.getloadavg()],
        "cores": os.cpu_count(),
    }


def row(suite: str, name: str, stats: Any, extra: dict[str, Any], group: str | None) -> Row:
    """One measurement; seconds of one round."""
    keys = ("min", "median", "max", "iqr", "rounds")
    seconds = {key: float(f"{getattr(stats, key):.4g}") for key in keys}
    return {"suite": suite, "group": group, "name": name, "seconds": seconds, "extra": extra}


def merge(path: Path, rows: Sequence[Row], lines: dict[str, list[str]], how: Any) -> None:
    """Write the measurements of some suites; those of other suites stay.

    Args:
        path: The file.
        rows: What was measured.
        lines: Sentences by suite.
        how: The conditions of this run.
    """
    old = json.loads(path.read_text()) if path.is_file() else {}
    suites = {entry["suite"] for entry in rows} | set(lines)
    kept = {name: suite for name, suite in old.items() if name not in suites}
    new = {
        name: {
            "conditions": how,
            "rows": [without_suite(entry) for entry in rows if entry["suite"] == name],
            "lines": lines.get(name, []),
        }
        for name in suites
    }
    write_text(path, json.dumps({**kept, **new}, indent=1, sort_keys=True) + "\n")


def without_suite(entry: Row) -> Row:
    return {key: value for key, value in entry.items() if key != "suite"}
