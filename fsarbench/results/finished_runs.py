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
from fsarbench.results.config_diff import flatten
from fsarbench.results.predictions import EPISODES, Predictions, read_predictions
from fsarbench.results.run_result import RESULT, read_result

if TYPE_CHECKING:
    import pandas as pd

NUMBER = (int, float)
# Keys of `result.json` that tables and reports read, with their types.
REQUIRED: Mapping[str, Any] = {
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
REQUIRED_OF_SETTING = {"way": int, "shot": int, "queries_a_class": int, "gflops_episode": NUMBER}


@dataclass(frozen=True)
class Run:
    """One finished run in one test setting (way and shot).

    Attributes:
        folder: Folder of the run.
        result: Content of `result.json`.
        config: Resolved config by flat keys.
        accuracies: Accuracy of every test episode.
        predictions: Episodes, labels and predictions; None in runs without `episodes.npz`.
    """

    folder: Path
    result: Mapping[str, Any]
    config: Mapping[str, str]
    accuracies: Float64[np.ndarray, " E"]
    predictions: Predictions | None

    def __repr__(self) -> str:
        return f"Run('{self.folder}', {self.accuracies.mean():.2%})"

    @property
    def name(self) -> str:
        """Name of the run, shared by runs that differ only in the seed."""
        return str(self.result["name"])

    @property
    def conditions(self) -> Mapping[str, Any]:
        """Conditions of the accuracy: data, episodes, clips, seeds and model selection."""
        conditions: Mapping[str, Any] = self.result["conditions"]
        return conditions

    @property
    def dataset(self) -> str:
        """Name of the data set (`dataset.name`), or else of its component.

        If the test classes are of another data set, both names as `TRAIN -> TEST`.
        """
        recorded = str(self.conditions["dataset"])
        source, arrow, target = recorded.partition(" -> ")
        names = self.value("dataset.name") or source, self.value("dataset.test.name") or target
        return " -> ".join(names) if arrow else names[0]

    @property
    def setting(self) -> tuple[str, int, int]:
        """Data set, way and shot; only runs of equal settings are in the same table."""
        return self.dataset, self.conditions["way"], self.conditions["shot"]

    @property
    def same_scores(self) -> float:
        """Fraction of queries with equal scores for all classes; 0 if not recorded."""
        return float(self.result.get("same_scores", 0.0))

    @property
    def submitter(self) -> str:
        """Person or lab that submitted the result to a results folder; empty for an own run."""
        return str((self.result.get("submission") or {}).get("submitter") or "")

    def value(self, key: str) -> str:
        """String value of a config key; empty if the key is missing or has another type."""
        try:
            value = ast.literal_eval(self.config.get(key, "''"))
        except ValueError:
            return ""
        return value if isinstance(value, str) else ""


class Runs(tuple[Run, ...]):
    """Finished runs, as a sequence."""

    def to_pandas(self) -> "pd.DataFrame":
        """One row per run and test setting; accuracies and half widths are from 0 to 1."""
        import pandas as pd

        return pd.DataFrame([run_record(run) for run in self])


def run_record(run: Run) -> dict[str, Any]:
    """Main figures of a run by column."""
    result, conditions = run.result, run.conditions
    intervals = {name: interval or {} for name, interval in result.get("intervals", {}).items()}
    return {
        "name": run.name,
        "dataset": run.dataset,
        "way": conditions["way"],
        "shot": conditions["shot"],
        "accuracy": float(run.accuracies.mean()),
        **{f"half_width_{name}": found.get("half_width") for name, found in intervals.items()},
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
    """Folders of finished runs, and of unfinished runs next to them.

    Args:
        paths: Folders of runs, result files, folders that contain folders of runs, directly or in
            one more level (`<row>/seed_0`), or results folders of `fsarbench submit`.

    Example:
        >>> find_runs([Path("runs/one")])
        ([PosixPath('runs/one')], [])
    """
    finished: list[Path] = []
    unfinished: list[Path] = []
    for path in paths:
        folder = path.parent if path.name == RESULT else path
        candidates = [] if (folder / RESULT).is_file() else _run_folders(folder)
        done = [candidate for candidate in candidates if (candidate / RESULT).is_file()]
        # A folder without any run is kept, so that reading it raises an error with its name.
        finished += done or _submissions(folder) or [folder]
        unfinished += [candidate for candidate in candidates if done and candidate not in done]
    return list(dict.fromkeys(finished)), unfinished


def read_run(folder: Path) -> list[Run]:
    """Read a finished run; one `Run` per test setting.

    Raises:
        UserError: A file of the run is missing or damaged.
    """
    result = read_result(folder)
    require_keys(result, REQUIRED, folder / RESULT)
    # Runs of earlier versions have no list of settings.
    settings = result.get("settings") or [{"episodes_file": EPISODES}]
    for setting in settings if isinstance(settings, list) else [settings]:
        require_keys(setting, {"episodes_file": str}, folder / RESULT)
        if setting["episodes_file"] != EPISODES:
            require_keys(setting, REQUIRED_OF_SETTING, folder / RESULT)
    return [_run_of_setting(folder, result, setting) for setting in settings]


def require_keys(content: Any, required: Mapping[str, Any], path: Path) -> None:
    """Check that a file of a run has all keys with the right types.

    Args:
        content: Content of the file, or a part of it.
        required: Type of each key; a dot separates nested keys.
        path: File, for the message.

    Raises:
        UserError: Keys are missing or have another type.
    """
    if faults := wrong_keys(content, required):
        raise UserError(
            f"{path} is not a complete result of fsarbench: {', '.join(faults)} missing or of "
            "another type. Restore the original file, or run the config again."
        )


def wrong_keys(content: Any, required: Mapping[str, Any]) -> list[str]:
    """Keys that are missing or have another type; a dot separates nested keys."""
    return [key for key, type_ in required.items() if not isinstance(at_key(content, key), type_)]


def at_key(content: Any, key: str) -> Any:
    """Value of a nested key, with dots between names; None if a name is missing.

    Example:
        >>> at_key({"clips": {"frames": 8}}, "clips.frames")
        8
    """
    for name in key.split("."):
        content = content.get(name) if isinstance(content, Mapping) else None
    return content


def _run_of_setting(folder: Path, result: Mapping[str, Any], setting: Mapping[str, Any]) -> Run:
    file = setting["episodes_file"]
    if file != EPISODES:
        task = {key: setting[key] for key in ("way", "shot", "queries_a_class")}
        result = {
            **result,
            "conditions": {**result["conditions"], **task},
            "same_scores": setting.get("same_scores", 0.0),
            "gflops": {**result["gflops"], "episode": setting["gflops_episode"]},
        }
    if Path(file).name != file:
        raise UserError(
            f"{folder / RESULT}: episodes_file is '{file}'; expected a file in the same folder."
        )
    predictions = read_predictions(folder, file)
    if predictions is None and file != EPISODES:
        raise UserError(f"{folder / file} is missing; it must be next to {RESULT}.")
    accuracies = read_accuracies(folder) if predictions is None else predictions.accuracies
    if len(accuracies) != result["conditions"]["episodes"]:
        raise UserError(
            f"{folder} has files of different runs: {len(accuracies)} episodes, but "
            f"{result['conditions']['episodes']} in {RESULT}. Run the config again."
        )
    return Run(folder, result, flatten(result["config"]), accuracies, predictions)


def read_accuracies(folder: Path) -> Float64[np.ndarray, " E"]:
    """Accuracy of every episode, from `episodes.csv`.

    Raises:
        UserError: The file is missing or damaged.
    """
    path = folder / "episodes.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return np.array([float(row["accuracy"]) for row in csv.DictReader(file)])
    except (OSError, KeyError, ValueError) as error:
        raise UserError(
            f"{path} has no accuracies of episodes ({type(error).__name__}). It must be next to "
            f"{RESULT}: copy the complete folder of the run."
        ) from error


def _run_folders(folder: Path) -> list[Path]:
    folders = []
    for subfolder in _subfolders(folder):
        # A row of a sweep has one subfolder per seed.
        seeds = [] if (subfolder / RESULT).is_file() else _subfolders(subfolder)
        folders += seeds if any((path / RESULT).is_file() for path in seeds) else [subfolder]
    return folders


def _submissions(folder: Path) -> list[Path]:
    """Results in a results folder, or in the folder of one of its data sets, sorted."""
    settings = "*way_*shot/*/*"
    found = [*folder.glob(f"*/{settings}/{RESULT}"), *folder.glob(f"{settings}/{RESULT}")]
    # Hidden folders are not part of it, such as a submission that is being written.
    return sorted(
        path.parent
        for path in found
        if not any(name.startswith(".") for name in path.relative_to(folder).parts)
    )


def _subfolders(folder: Path) -> list[Path]:
    """Subfolders without hidden ones, such as that for the jobs of a sweep."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
