"""Comparison as CSV and JSON, with unrounded numbers for other programs."""

import json
from dataclasses import asdict
from typing import Any

from fsarbench.catalogue.published_results import PublishedResult, task_name
from fsarbench.report.comparison import pairwise
from fsarbench.report.comparison.columns import chosen_key
from fsarbench.report.comparison.footnotes import remarks
from fsarbench.report.comparison.published import conditions
from fsarbench.report.comparison.table import Comparison, Line, Section, Verdict
from fsarbench.report.table_layouts import csv_table
from fsarbench.runtime.finite_checks import none_for_nan
from fsarbench.statistics.intervals import Interval
from fsarbench.statistics.paired import Difference


def csv_text(comparison: Comparison) -> str:
    """CSV table of measured rows and published results, which differ in the column `origin`."""
    records = [
        _flat(selected(comparison, record(comparison, section, line)))
        for section in comparison.sections
        for line in section.lines
    ]
    records += [
        {"origin": "published", **published_record(result)} for result in comparison.published
    ]
    return csv_table(records)


def json_text(comparison: Comparison) -> str:
    """JSON text of measured rows and published results; accuracies are fractions, memory bytes."""
    content = {
        "confidence": comparison.confidence,
        "baseline": comparison.baseline or None,
        "measured": [
            selected(comparison, record(comparison, section, line))
            for section in comparison.sections
            for line in section.lines
        ],
        **({"pairwise": pairwise.records(comparison)} if comparison.pairwise else {}),
        "notes": comparison.notes,
        "remarks": remarks(comparison),
        "published": [published_record(result) for result in comparison.published],
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


# Keys of the record for each column; the other keys of a record are always written.
FIELDS = {
    "backbone": ("backbone",),
    "trainable": ("tuned",),
    "trainable-m": ("tuned_parameters",),
    "total-m": ("parameters",),
    "gflops": ("gflops_episode",),
    "memory": ("peak_bytes", "peak_of"),
    "step-gflops": ("train_step",),
    "step-memory": ("train_step",),
    "step-time": ("train_step",),
    "accuracy": ("accuracy",),
    "over-videos": ("intervals",),
    "over-seeds": ("intervals",),
    "over-episodes": ("intervals",),
    "seeds": ("seeds",),
    "difference": ("difference",),
    "p": ("difference",),
    "mde": ("difference", "beside_best"),
}


def selected(comparison: Comparison, values: dict[str, Any]) -> dict[str, Any]:
    """Values of the columns that the user chose, and those that name the row."""
    if not comparison.columns:
        return values
    keys = [chosen_key(asked, comparison) for asked in comparison.columns]
    of_columns = {name for names in FIELDS.values() for name in names}
    chosen = [name for key in keys for name in FIELDS.get(key, ())]
    heads = [name for name in values if name not in of_columns]
    return {name: values[name] for name in dict.fromkeys([*heads, *chosen]) if name in values}


def published_record(result: PublishedResult) -> dict[str, Any]:
    """Values of a published result by name; accuracies are fractions."""
    return {
        "method": result.method,
        "dataset": result.dataset,
        "task": result.task,
        "accuracy": result.accuracy / 100,
        "rerun": None if result.rerun is None else result.rerun / 100,
        "selection": result.selection,
        "text_at_test": result.text_at_test,
        "transductive": result.transductive,
        "conditions": conditions(result),
        "source": result.source,
    }


def record(comparison: Comparison, section: Section, line: Line) -> dict[str, Any]:
    """Values of a measured row by name; accuracies are fractions."""
    profile = comparison.profile
    cost = None if profile is None else profile.of(line.row)
    row, (dataset, way, shot) = line.row, section.setting
    result = row.first.result
    peak_bytes, owner = row.memory
    return {
        "origin": "measured",
        "method": row.name,
        **({"submitter": row.submitter} if row.submitter else {}),
        "dataset": dataset,
        "task": task_name(way, shot),
        "backbone": row.backbone,
        "tuned": row.trainable,
        "tuned_parameters": result["parameters"]["tuned"],
        "parameters": result["parameters"]["total"],
        "gflops_episode": result["gflops"]["episode"],
        "peak_bytes": peak_bytes or None,
        "peak_of": owner,
        **({} if profile is None else {"train_step": None if cost is None else asdict(cost)}),
        "accuracy": row.mean,
        "intervals": {name: _interval(interval) for name, interval in line.intervals.items()},
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
        "p": none_for_nan(difference.p_value),
        "p_corrected": none_for_nan(verdict.p_value),
        "smallest_detectable": none_for_nan(verdict.detectable),
        "one_training": difference.one_training,
    }


def _interval(interval: Interval) -> dict[str, Any]:
    return {key: none_for_nan(value) for key, value in asdict(interval).items()}


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = " ".join(map(str, value)) if isinstance(value, list) else value
    return {key: value for key, value in flat.items() if not key.endswith(WORDS)}


# Keys with sentences about intervals, which are not repeated in each line of a CSV table.
WORDS = (".method", ".covers", ".leaves_out", ".unavailable")
