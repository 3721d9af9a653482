"""Comparison as CSV and JSON, with unrounded numbers for other programs."""

import csv
import io
import json
from dataclasses import asdict
from typing import Any

from fsarbench.report.comparison.footnotes import remarks
from fsarbench.report.comparison.table import Comparison, Line, Section, Verdict
from fsarbench.report.task_name import task_name
from fsarbench.statistics.intervals import Interval
from fsarbench.statistics.paired import Difference


def csv_text(comparison: Comparison) -> str:
    """Return one CSV line per row: measured and then published results, marked by `origin`."""
    records = [
        _flat(record(comparison, section, line))
        for section in comparison.sections
        for line in section.lines
    ]
    records += [
        {"origin": "published", **asdict(e), "accuracy": e.accuracy / 100}
        for e in comparison.published
    ]
    fields = list(dict.fromkeys(key for entry in records for key in entry))
    out = io.StringIO()
    writer = csv.DictWriter(out, fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _inert(value) for key, value in row.items()} for row in records)
    return out.getvalue()


def json_text(comparison: Comparison) -> str:
    """Return the whole comparison as JSON; accuracies are fractions, memory is in bytes."""
    content = {
        "confidence": comparison.confidence,
        "baseline": comparison.baseline or None,
        "measured": [
            record(comparison, section, line)
            for section in comparison.sections
            for line in section.lines
        ],
        "notes": comparison.notes,
        "remarks": remarks(comparison),
        "published": [{**asdict(e), "accuracy": e.accuracy / 100} for e in comparison.published],
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def record(comparison: Comparison, section: Section, line: Line) -> dict[str, Any]:
    """Return one measured row as a dictionary."""
    profile = comparison.profile
    cost = None if profile is None else profile.of(line.row)
    row, (dataset, way, shot) = line.row, section.setting
    result = row.first.result
    size, owner = row.memory
    return {
        "origin": "measured",
        "method": row.name,
        "dataset": dataset,
        "task": task_name(way, shot),
        "backbone": row.backbone,
        "tuned": row.trainable,
        "tuned_parameters": result["parameters"]["tuned"],
        "parameters": result["parameters"]["total"],
        "gflops_episode": result["gflops"]["episode"],
        "peak_bytes": size or None,
        "peak_of": owner,
        **({} if profile is None else {"train_step": None if cost is None else asdict(cost)}),
        "accuracy": row.mean,
        "intervals": {kind: _interval(interval) for kind, interval in line.intervals.items()},
        "seeds": [run.conditions["seed"] for run in row.runs],
        "best": line.best,
        "level_with_best": line.level,
        "notes": line.notes,
        "difference": None if line.verdict is None else _verdict(line.verdict),
        "beside_best": None if line.beside_best is None else _verdict(line.beside_best),
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    difference: Difference = verdict.difference
    return {
        **_interval(difference.interval),
        "p": _nan_to_none(difference.p_value),
        "p_corrected": _nan_to_none(verdict.p_value),
        "smallest_detectable": _nan_to_none(verdict.detectable),
        "one_training": difference.one_training,
    }


def _interval(interval: Interval) -> dict[str, Any]:
    return {key: _nan_to_none(value) for key, value in asdict(interval).items()}


def _nan_to_none(value: Any) -> Any:
    return None if value != value else value


# Spreadsheet programs read a cell that starts with one of these as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _inert(value: Any) -> Any:
    """Escape text that a spreadsheet program would read as a formula; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _flat(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = " ".join(map(str, value)) if isinstance(value, list) else value
    return {key: value for key, value in flat.items() if not key.endswith(DESCRIPTIONS)}


# Descriptions of intervals belong below a table, not in each of its rows.
DESCRIPTIONS = (".method", ".covers", ".leaves_out", ".unavailable")
