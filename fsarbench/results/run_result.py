"""A run written down: the accuracy, with everything that it was obtained under.

The fields of `result.json` are documented in `docs/result-schema.md`; a change of their meaning
raises `SCHEMA`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fsarbench.data.clips import ClipSettings
from fsarbench.data.data_module import DataModule
from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.errors import UserError
from fsarbench.evaluation.episode_arrays import Evaluation
from fsarbench.model import FewShotModel
from fsarbench.profiling.episode_flops import CONVENTION, EpisodeFlops, count_flops
from fsarbench.profiling.parameters import Part, parts
from fsarbench.results.predictions import (
    Predictions,
    episodes_file,
    intervals,
    predictions_of,
    write_predictions,
)
from fsarbench.runtime.atomic_files import write_text
from fsarbench.runtime.environment import Memory, describe_device, peak_memory, versions
from fsarbench.settings import EvaluateSettings
from fsarbench.statistics.intervals import Interval, mean_interval
from fsarbench.training.checkpoint import Checkpoint
from fsarbench.training.history import Training
from fsarbench.video import Split


def accuracies(evaluation: Evaluation, split: Split, confidence: float) -> dict[str, Any]:
    """The mean accuracy with its interval over episodes, and its other intervals by name."""
    found = intervals(predictions_of(evaluation, split), confidence)
    return {
        "accuracy": _plain(mean_interval(evaluation.accuracies, confidence)),
        "intervals": {name: _plain(interval) for name, interval in found.items()},
        "same_scores": evaluation.same_scores,
    }


def setting(
    evaluation: Evaluation, own: EpisodeSettings, found: dict[str, Any], operations: int
) -> dict[str, Any]:
    """One entry of the list `settings`.

    Args:
        evaluation: Of this kind of episodes.
        own: The config's own kind.
        found: Its `accuracies`.
        operations: Of one episode of this kind.
    """
    task = evaluation.task
    return {
        "way": task.way,
        "shot": task.shot,
        "queries_a_class": task.queries,
        **found,
        "gflops_episode": operations / 1e9,
        "episodes_file": episodes_file(task, own),
    }


def _plain(interval: Interval) -> dict[str, Any]:
    # One episode alone has no interval; JSON has no NaN.
    return {key: None if value != value else value for key, value in asdict(interval).items()}


SCHEMA = 1
RESULT = "result.json"
# Keys of `features.json` that a result repeats.
FEATURE_ORIGIN = ("backbone", "weights", "checkpoint", "clips", "created")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a result comes from, as its reader knows it.

    Attributes:
        name: The config's name; runs of one name differ in their seed alone.
        config: The resolved config as text that can be run again.
        dataset: The data set's component name.
        fingerprint: Of the videos, their classes and their partition.
        total_seconds: From the start of the run to the end of the test.
        skipped: The bad videos that were left out, and why.
        checkpoint: The tested checkpoint; None where nothing was trained.
    """

    name: str
    config: str
    dataset: str
    fingerprint: str
    total_seconds: float
    skipped: Mapping[str, str] = field(default_factory=dict)
    checkpoint: Checkpoint | None = None


def describe_run(
    model: FewShotModel,
    data_module: DataModule,
    settings: EvaluateSettings,
    training: Training,
    evaluations: Sequence[Evaluation],
    origin: Origin,
) -> dict[str, Any]:
    """The content of `result.json`; accuracies are fractions, times seconds, memory bytes.

    Args:
        model: As it was tested.
        data_module: What it was tested on.
        settings: How it was tested.
        training: How it was trained.
        evaluations: One a kind of test episodes, the config's own first.
        origin: Where the result comes from.
    """
    counted = [count_flops(model, data_module.clips, found.task) for found in evaluations]
    found = [accuracies(e, data_module.splits["test"], settings.confidence) for e in evaluations]
    return {
        "schema": SCHEMA,
        "name": origin.name,
        **found[0],
        "settings": [
            setting(evaluation, data_module.episodes, accuracy, operations.episode)
            for evaluation, accuracy, operations in zip(evaluations, found, counted, strict=True)
        ],
        "conditions": {
            **_conditions(data_module, settings, training, evaluations[0], origin),
            **_inputs(model, data_module),
        },
        "training": _training(training),
        "checkpoint": None if origin.checkpoint is None else asdict(origin.checkpoint),
        "parameters": _parameters(parts(model)),
        "gflops": _gflops(counted[0]),
        "memory": _memory(peak_memory(data_module.device)),
        "seconds": _seconds(training, evaluations, origin),
        "versions": versions(),
        "device": describe_device(data_module.device),
        "config": origin.config,
    }


def write_run(folder: Path, result: dict[str, Any], predictions: Sequence[Predictions]) -> None:
    """Writes the episodes, `config.py` and, last, `result.json`; each appears whole.

    Args:
        folder: The run's.
        result: Its description.
        predictions: One for each of the result's `settings`, in their order.
    """
    lines = [
        f"{number},{accuracy:.6g}" for number, accuracy in enumerate(predictions[0].accuracies)
    ]
    write_text(folder / "episodes.csv", "\n".join(["episode,accuracy", *lines, ""]))
    for kind, given in zip(result["settings"], predictions, strict=True):
        write_predictions(folder, given, kind["episodes_file"])
    write_text(folder / "config.py", result["config"])
    write_text(folder / RESULT, json.dumps(result, indent=2, allow_nan=False) + "\n")


def read_result(path: Path) -> dict[str, Any]:
    """A result from its file, or from the folder of its run.

    Raises:
        UserError: There is none, it is no JSON, or it has another schema.
    """
    path = path / RESULT if path.is_dir() else path
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise UserError(f"There is no result at {path}. Name a run's folder or file.") from None
    except ValueError as error:
        raise UserError(f"{path} is no result of fsarbench: {error}.") from None
    if not isinstance(result, dict) or result.get("schema") != SCHEMA:
        raise UserError(
            f"{path} has not the schema {SCHEMA} that this version reads; run its config again."
        )
    return result


def split_sizes(split: Split) -> dict[str, int]:
    """The number of classes and videos of a split."""
    return {"classes": len(split.classes), "videos": len(split.videos)}


def clip_kind(clips: ClipSettings) -> dict[str, Any]:
    """How test clips are cut."""
    return {"frames": clips.frames, "size": clips.size, "sampling": clips.sampling}


def given_features(model: FewShotModel, data_module: DataModule) -> dict[str, Any] | None:
    """Sizes and origin of features that were computed before; None for a model that encodes videos.

    The origin is None if the features were not written by `fsarbench features`.
    """
    backbone, info = model.backbone, data_module.feature_info
    if not backbone.takes_features:
        return None
    origin = {key: info[key] for key in FEATURE_ORIGIN if key in info}
    steps = backbone.output_frames(data_module.clips.frames)
    return {"steps": steps, "dim": backbone.dim, "origin": origin or None}


def _conditions(
    data_module: DataModule,
    settings: EvaluateSettings,
    training: Training,
    evaluation: Evaluation,
    origin: Origin,
) -> dict[str, Any]:
    return {
        "dataset": origin.dataset,
        "data_fingerprint": origin.fingerprint,
        "skipped_videos": dict(origin.skipped),
        "splits": {name: split_sizes(split) for name, split in data_module.splits.items()},
        **_episode_kind(evaluation),
        **_training_kind(data_module.episodes),
        "seed": data_module.seed,
        "episodes_seed": settings.seed,
        "selection": training.selection,
        "route": asdict(evaluation.route),
    }


def _inputs(model: FewShotModel, data_module: DataModule) -> dict[str, Any]:
    given = given_features(model, data_module)
    if given is None:
        return {"clips": clip_kind(data_module.clips), "features": None}
    # Features from `fsarbench features` have the clips that they were computed from.
    unknown = {"frames": given["steps"], "size": 0, "sampling": "unknown"}
    return {"clips": (given["origin"] or {}).get("clips", unknown), "features": given}


def _episode_kind(evaluation: Evaluation) -> dict[str, int]:
    kind = evaluation.task
    return {
        "episodes": len(evaluation.labels),
        "way": kind.way,
        "shot": kind.shot,
        "queries_a_class": kind.queries,
    }


def _training_kind(episodes: EpisodeSettings) -> dict[str, int]:
    kind = episodes.of("train")
    return {
        "train_way": kind.way,
        "train_shot": kind.shot,
        "train_queries_a_class": kind.queries,
    }


def _training(training: Training) -> dict[str, Any]:
    return {
        "skipped": training.skipped,
        "validations": [
            {"episode": episode, "accuracy": accuracy} for episode, accuracy in training.validations
        ],
        "best_episode": training.best_episode,
        "best_val_accuracy": training.best_accuracy,
    }


def _parameters(slots: list[Part]) -> dict[str, Any]:
    return {
        "tuned": sum(part.tuned for part in slots),
        "total": sum(part.total for part in slots),
        "slots": [asdict(part) for part in slots],
    }


def _gflops(operations: EpisodeFlops) -> dict[str, Any]:
    counted = asdict(operations)
    missing = counted.pop("not_counted")
    gigas = {name: value / 1e9 for name, value in counted.items()}
    return {**gigas, "not_counted": list(missing), "convention": CONVENTION}


def _memory(memory: Memory) -> dict[str, int | None]:
    return {"process_peak_bytes": memory.process, "gpu_peak_bytes": memory.gpu}


def _seconds(
    training: Training, evaluations: Sequence[Evaluation], origin: Origin
) -> dict[str, float]:
    return {
        "train": training.seconds,
        "wait": training.wait_seconds,
        "val": training.val_seconds,
        "encode": sum(evaluation.encode_seconds for evaluation in evaluations),
        "match": sum(evaluation.match_seconds for evaluation in evaluations),
        "total": origin.total_seconds,
    }
