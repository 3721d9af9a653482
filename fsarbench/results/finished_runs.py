"""Finished runs, read from their folders."""

import ast
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64

from fsarbench.errors import UserError
from fsarbench.results.config_diff import flat
from fsarbench.results.predictions import EPISODES, Predictions, read_predictions
from fsarbench.results.run_result import RESULT, read_result

if TYPE_CHECKING:
    import pandas as pd

NUMBER = (int, float)
# What tables and pages read of a result.
NEEDED: Mapping[str, Any] = {
    "name": str,
    "config": str,
    "training.skipped": str,
    "parameters.tuned": int,
    "parameters.total": int,
    "parameters.slots": list,
    "gflops.episode": NUMBER,
    "memory": Mapping,
    "conditions.dataset": str,
    "conditions.data_fingerprint": str,
    "conditions.selection": str,
    "conditions.clips.frames": int,
    "conditions.clips.size": int,
    "conditions.clips.sampling": str,
    **dict.fromkeys(
        (
            f"conditions.{key}"
            for key in ("seed", "episodes_seed", "episodes", "way", "shot", "queries_a_class")
        ),
        int,
    ),
}
NEEDED_OF_KIND = {"way": int, "shot": int, "queries_a_class": int, "gflops_episode": NUMBER}


@dataclass(frozen=True)
class Run:
    """One finished run.

    Attributes:
        folder: Where it lies.
        result: Its `result.json`.
        config: Its resolved config by flat keys.
        accuracies: Of every test episode.
        predictions: What was asked and answered; None in runs that kept no `episodes.npz`.
    """

    folder: Path
    result: Mapping[str, Any]
    config: Mapping[str, str]
    accuracies: Float64[np.ndarray, " E"]
    predictions: Predictions | None

    @property
    def name(self) -> str:
        """What runs that differ in their seed alone share."""
        return str(self.result["name"])

    @property
    def conditions(self) -> Mapping[str, Any]:
        """What the accuracy was obtained under."""
        conditions: Mapping[str, Any] = self.result["conditions"]
        return conditions

    @property
    def dataset(self) -> str:
        """The data set's own name, or that of its component."""
        return self.value("dataset.name") or str(self.conditions["dataset"])

    @property
    def setting(self) -> tuple[str, int, int]:
        """Data set, way and shot: numbers of different settings are in different tables."""
        return self.dataset, self.conditions["way"], self.conditions["shot"]

    @property
    def same_scores(self) -> float:
        """The share of queries whose scores are the same for all classes; 0 where not recorded."""
        return float(self.result.get("same_scores", 0.0))

    def value(self, key: str) -> str:
        """A text of the config; empty where it has none."""
        try:
            found = ast.literal_eval(self.config.get(key, "''"))
        except ValueError:
            return ""
        return found if isinstance(found, str) else ""


class Runs(tuple[Run, ...]):
    """Finished runs, as a sequence."""

    def to_pandas(self) -> "pd.DataFrame":
        """One row per run and kind of test episodes; accuracies and half widths are 0 to 1."""
        import pandas as pd

        return pd.DataFrame([run_record(run) for run in self])


def run_record(run: Run) -> dict[str, Any]:
    """The main figures of a run, by column."""
    result, conditions = run.result, run.conditions
    over = {name: interval or {} for name, interval in result.get("intervals", {}).items()}
    return {
        "name": run.name,
        "dataset": run.dataset,
        "way": conditions["way"],
        "shot": conditions["shot"],
        "accuracy": float(run.accuracies.mean()),
        **{f"half_width_{name}": interval.get("half_width") for name, interval in over.items()},
        "seed": conditions["seed"],
        "episodes": conditions["episodes"],
        "episodes_seed": conditions["episodes_seed"],
        "selection": conditions["selection"],
        "trainable_parameters": result["parameters"]["tuned"],
        "parameters": result["parameters"]["total"],
        "gflops_per_episode": result["gflops"]["episode"],
        "folder": str(run.folder),
    }


def find_runs(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The folders of finished runs, and those of unfinished ones beside them.

    Args:
        paths: Folders of runs, their result files, or folders that hold such folders, maybe below
            one more (`<row>/seed_0`).

    Example:
        >>> find_runs([Path("runs/one")])
        ([PosixPath('runs/one')], [])
    """
    finished: list[Path] = []
    unfinished: list[Path] = []
    for path in paths:
        place = path.parent if path.name == RESULT else path
        inside = [] if (place / RESULT).is_file() else _runs_inside(place)
        done = [folder for folder in inside if (folder / RESULT).is_file()]
        # A folder without any is named by the error that reading it gives.
        finished += done or [place]
        unfinished += [folder for folder in inside if done and folder not in done]
    return list(dict.fromkeys(finished)), unfinished


def read_run(folder: Path) -> list[Run]:
    """One finished run, once for each kind of episodes that it was tested on.

    Raises:
        UserError: A file of it is missing or damaged.
    """
    result = read_result(folder)
    require_keys(result, NEEDED, folder / RESULT)
    # Runs of earlier versions have no list of settings.
    kinds = result.get("settings") or [{"episodes_file": EPISODES}]
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        require_keys(kind, {"episodes_file": str}, folder / RESULT)
        if kind["episodes_file"] != EPISODES:
            require_keys(kind, NEEDED_OF_KIND, folder / RESULT)
    return [_of_kind(folder, result, kind) for kind in kinds]


def require_keys(content: Any, needed: Mapping[str, Any], path: Path) -> None:
    """Refuse a file of a run, maybe changed by others, in which keys are missing.

    Args:
        content: The file, or a part of it.
        needed: The type of each key; a dot leads into a part.
        path: The file, for the message.

    Raises:
        UserError: Keys are missing, or of another type.
    """
    faults = [key for key, kind in needed.items() if not isinstance(_at(content, key), kind)]
    if faults:
        raise UserError(
            f"{path} is no whole result of fsarbench: {', '.join(faults)} missing or of another "
            "type. Ask for the file as it was written, or run its config again."
        )


def _at(content: Any, key: str) -> Any:
    for name in key.split("."):
        content = content.get(name) if isinstance(content, Mapping) else None
    return content


def _of_kind(folder: Path, result: Mapping[str, Any], kind: Mapping[str, Any]) -> Run:
    own = kind["episodes_file"] == EPISODES
    if not own:
        task = {key: kind[key] for key in ("way", "shot", "queries_a_class")}
        result = {
            **result,
            "conditions": {**result["conditions"], **task},
            "same_scores": kind.get("same_scores", 0.0),
            "gflops": {**result["gflops"], "episode": kind["gflops_episode"]},
        }
    if Path(kind["episodes_file"]).name != kind["episodes_file"]:
        raise UserError(
            f"{folder / RESULT}: episodes_file is '{kind['episodes_file']}', and must be a file "
            "of this folder."
        )
    predictions = read_predictions(folder, kind["episodes_file"])
    if predictions is None and not own:
        raise UserError(f"{folder / kind['episodes_file']} is missing; it belongs beside {RESULT}.")
    accuracies = read_accuracies(folder) if predictions is None else predictions.accuracies
    if len(accuracies) != result["conditions"]["episodes"]:
        raise UserError(
            f"{folder}: {len(accuracies)} episodes beside a result of "
            f"{result['conditions']['episodes']}; its files are of different runs. Run it again."
        )
    return Run(folder, result, flat(result["config"]), accuracies, predictions)


def read_accuracies(folder: Path) -> Float64[np.ndarray, " E"]:
    """The accuracy of every episode, from `episodes.csv`.

    Raises:
        UserError: It is missing or damaged.
    """
    path = folder / "episodes.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return np.array([float(row["accuracy"]) for row in csv.DictReader(file)])
    except (OSError, KeyError, ValueError) as error:
        raise UserError(
            f"{path}: no accuracies of episodes ({type(error).__name__}). It belongs beside "
            f"{RESULT}: name the folder of the run, whole."
        ) from error


def _runs_inside(folder: Path) -> list[Path]:
    found = []
    for inner in _inside(folder):
        # The seeds of a row have a folder each in the row's.
        below = [] if (inner / RESULT).is_file() else _inside(inner)
        found += below if any((path / RESULT).is_file() for path in below) else [inner]
    return found


def _inside(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
