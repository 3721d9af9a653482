"""Runs with other predictions than a real run, whose results state what the predictions give."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from fsarbench.results.predictions import intervals, read_predictions, write_predictions
from fsarbench.results.run_result import read_result
from fsarbench.runtime.finite_checks import none_for_nan
from fsarbench.statistics.intervals import Interval, mean_interval


def other_run(source: Path, folder: Path, seed: int, name: str = "", improved: float = 0.2) -> Path:
    """Write the folder of a run with another seed and other predictions.

    Args:
        source: Folder of a real run.
        folder: Folder to write.
        seed: Training seed, and seed of the predictions.
        name: Name of the run; that of `source` by default.
        improved: Share of the queries that are predicted correctly in any case.
    """
    predictions, result = read_predictions(source), read_result(source)
    assert predictions is not None
    correct = np.random.default_rng(seed).random(predictions.labels.shape) < improved
    made = replace(
        predictions,
        predictions=np.where(correct, predictions.labels, predictions.predictions),
    )
    accuracy = as_json(mean_interval(made.accuracies))
    by_unit = {key: as_json(interval) for key, interval in intervals(made, 0.95).items()}
    result |= {"name": name or result["name"], "accuracy": accuracy, "intervals": by_unit}
    result["settings"][0] |= {"accuracy": accuracy, "intervals": by_unit}
    result["conditions"]["seed"] = seed
    result["config"] = f"{result['config']}seed = {seed}\n"
    write_predictions(folder, made)
    (folder / "result.json").write_text(json.dumps(result))
    return folder


def as_json(interval: Interval) -> dict[str, object]:
    return {key: none_for_nan(value) for key, value in asdict(interval).items()}
