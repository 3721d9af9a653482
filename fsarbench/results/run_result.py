"""Result of a run: `result.json` with accuracies, intervals, conditions and costs.

The fields of `result.json` are documented in `docs/result-schema.md`. If their meaning changes,
`SCHEMA` has to be increased.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fsarbench.data.clip_settings import ClipSettings
from fsarbench.data.data_module import DataModule
from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.errors import UserError
from fsarbench.evaluation.episode_arrays import Evaluation
from fsarbench.model import FewShotModel
from fsarbench.profiling.episode_flops import CONVENTION, EpisodeFlops, count_flops
from fsarbench.profiling.parameters import SlotParameters, slot_parameters
from fsarbench.results.predictions import (
    Predictions,
    episodes_file,
    intervals,
    list_sha256,
    predictions_of,
    write_predictions,
)
from fsarbench.results.strict_json import parse_json
from fsarbench.runtime.atomic_files import write_text
from fsarbench.runtime.environment import Memory, describe_device, peak_memory, versions
from fsarbench.runtime.finite_checks import none_for_nan
from fsarbench.settings import EvaluateSettings
from fsarbench.statistics.intervals import Interval, mean_interval
from fsarbench.training.checkpoint import Checkpoint
from fsarbench.training.history import Training
from fsarbench.video import Split


def accuracies(evaluation: Evaluation, split: Split, confidence: float) -> dict[str, Any]:
    """Mean accuracy with its interval over episodes, and the other intervals by name."""
    by_unit = intervals(predictions_of(evaluation, split), confidence)
    return {
        "accuracy": _to_json(mean_interval(evaluation.accuracies, confidence)),
        "intervals": {name: _to_json(interval) for name, interval in by_unit.items()},
        "same_scores": evaluation.same_scores,
    }


def setting(
    evaluation: Evaluation, main: EpisodeSettings, accuracy: dict[str, Any], operations: int
) -> dict[str, Any]:
    """Entry of the list `settings`.

    Args:
        evaluation: Evaluation in this test setting.
        main: Main test setting, that of `episodes` in the config.
        accuracy: Accuracies and intervals of the evaluation.
        operations: FLOPs of one episode in this setting.
    """
    task = evaluation.task
    return {
        "way": task.way,
        "shot": task.shot,
        "queries_a_class": task.queries,
        **accuracy,
        "gflops_episode": operations / 1e9,
        "episodes_file": episodes_file(task, main),
    }


def _to_json(interval: Interval) -> dict[str, Any]:
    # Unavailable intervals are NaN, which JSON does not have.
    return {key: none_for_nan(value) for key, value in asdict(interval).items()}


SCHEMA = 1
RESULT = "result.json"
# Keys of `features.json` that a result repeats.
FEATURE_ORIGIN = ("backbone", "weights", "checkpoint", "clips", "created")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Origin of a result: config, data set, checkpoint and duration.

    Attributes:
        name: Name of the config, shared by runs that differ only in the seed.
        config: Resolved config as text that can be run again.
        dataset: Component name of the data set.
        fingerprint: Fingerprint of the data set.
        total_seconds: Seconds from the start of the run to the end of the test.
        skipped: Reasons for the bad videos that were left out, by path.
        listed: Videos of the published list; None if there is no list.
        excluded_classes: Training and validation classes that were left out.
        checkpoint: Tested checkpoint; None if nothing was trained.
        hub: Repository and commit on the hub that the model is from; empty for a local one.
        seen_data: Training data of the backbone's pretrained weights, as in
            `fsarbench.catalogue.pretraining.seen_record`; None if unknown.
    """

    name: str
    config: str
    dataset: str
    fingerprint: str
    total_seconds: float
    skipped: Mapping[str, str] = field(default_factory=dict)
    listed: int | None = None
    excluded_classes: Sequence[str] = ()
    checkpoint: Checkpoint | None = None
    hub: str = ""
    seen_data: Mapping[str, Any] | None = None


def describe_run(
    model: FewShotModel,
    data_module: DataModule,
    settings: EvaluateSettings,
    training: Training,
    evaluations: Sequence[Evaluation],
    origin: Origin,
) -> dict[str, Any]:
    """Content of `result.json`; accuracies are fractions, times are seconds, memory is bytes.

    Args:
        model: Tested model.
        data_module: Data of the test.
        settings: Settings of the test.
        training: History of the training.
        evaluations: One evaluation per test setting, the main setting first.
        origin: Config, data set and checkpoint of the result.
    """
    flops = [count_flops(model, data_module.clips, e.task) for e in evaluations]
    means = [accuracies(e, data_module.splits["test"], settings.confidence) for e in evaluations]
    return {
        "schema": SCHEMA,
        "name": origin.name,
        **means[0],
        "settings": [
            setting(evaluation, data_module.episodes, accuracy, operations.episode)
            for evaluation, accuracy, operations in zip(evaluations, means, flops, strict=True)
        ],
        "conditions": {
            **_conditions(model, data_module, settings, training, evaluations[0], origin),
            **_inputs(model, data_module),
        },
        "training": _training(training),
        "checkpoint": None if origin.checkpoint is None else asdict(origin.checkpoint),
        "hub": origin.hub or None,
        "parameters": _parameters(slot_parameters(model)),
        "gflops": _gflops(flops[0]),
        "memory": _memory(peak_memory(data_module.device)),
        "seconds": _seconds(training, evaluations, origin),
        "versions": versions(),
        "device": describe_device(data_module.device),
        "config": origin.config,
    }


def write_run(folder: Path, result: dict[str, Any], predictions: Sequence[Predictions]) -> None:
    """Write the episodes, `config.py` and, last, `result.json`, each atomically.

    Args:
        folder: Folder of the run.
        result: Content of `result.json`.
        predictions: Predictions per test setting, in the order of `settings` in the result.
    """
    lines = [
        f"{number},{accuracy:.6g}" for number, accuracy in enumerate(predictions[0].accuracies)
    ]
    write_text(folder / "episodes.csv", "\n".join(["episode,accuracy", *lines, ""]))
    for entry, episodes in zip(result["settings"], predictions, strict=True):
        write_predictions(folder, episodes, entry["episodes_file"])
    write_text(folder / "config.py", result["config"])
    write_text(folder / RESULT, json.dumps(result, indent=2, allow_nan=False) + "\n")


def read_result(path: Path) -> dict[str, Any]:
    """Read a result from its file or from the folder of its run.

    Raises:
        UserError: The file is missing, is not JSON, or has another schema.
    """
    path = path / RESULT if path.is_dir() else path
    try:
        result = parse_json(path.read_bytes(), path)
    except OSError:
        raise UserError(
            f"There is no result at {path}. Name the folder of a run or its {RESULT}."
        ) from None
    except ValueError as error:
        raise UserError(f"{path} is not a result of fsarbench: {error}.") from None
    schema = result.get("schema") if isinstance(result, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise UserError(
            f"{path}: schema: expected {SCHEMA} or less, found {schema}. The result is of a later "
            "version: update fsarbench."
        )
    if schema != SCHEMA:
        raise UserError(
            f"{path} does not have the schema {SCHEMA} of this version of fsarbench; run the "
            "config again."
        )
    return result


def test_list_hash(split: Split) -> str:
    """Hash of the classes and videos that test episodes are drawn from, in their order."""
    videos = split.videos
    return list_sha256(split.classes, [v.label for v in videos], [v.id for v in videos])


def split_sizes(split: Split) -> dict[str, int]:
    """Number of classes and videos of a split."""
    return {"classes": len(split.classes), "videos": len(split.videos)}


def clip_conditions(clips: ClipSettings) -> dict[str, Any]:
    """Frames, size and sampling of test clips."""
    return {"frames": clips.frames, "size": clips.size, "sampling": clips.sampling}


def corpus_hash(model: FewShotModel) -> str | None:
    """SHA-256 of the text corpus that a model reads; None without a corpus."""
    encoder = model.text_encoder
    return (encoder.corpus_sha256 or None) if encoder is not None else None


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


def stored_frames(data_module: DataModule) -> dict[str, Any] | None:
    """Size and format of the frames that clips are made of; None for decoded videos.

    `equal` says whether test clips equal those of decoded videos bit for bit: the frames are not
    compressed, and have the size of the videos or that to which clips are resized.
    """
    stored = data_module.reader.stored_frames()
    if stored is None:
        return None
    same_size = stored["size"] in (None, data_module.clips.sides()[1])
    return {**stored, "equal": stored["format"] == "raw" and same_size}


def _conditions(
    model: FewShotModel,
    data_module: DataModule,
    settings: EvaluateSettings,
    training: Training,
    evaluation: Evaluation,
    origin: Origin,
) -> dict[str, Any]:
    return {
        "dataset": origin.dataset,
        "data_fingerprint": origin.fingerprint,
        "corpus_sha256": corpus_hash(model),
        "seen_data": origin.seen_data,
        "skipped_videos": dict(origin.skipped),
        "listed_videos": origin.listed,
        "excluded_classes": list(origin.excluded_classes),
        "splits": {name: split_sizes(split) for name, split in data_module.splits.items()},
        "test_list_sha256": test_list_hash(data_module.splits["test"]),
        **_episode_conditions(evaluation),
        **_training_conditions(data_module.episodes),
        "seed": data_module.seed,
        "episodes_seed": settings.seed,
        "precision": settings.precision,
        "selection": training.selection,
        "route": asdict(evaluation.route),
    }


def _inputs(model: FewShotModel, data_module: DataModule) -> dict[str, Any]:
    given = given_features(model, data_module)
    if given is None:
        clips = clip_conditions(data_module.clips)
        return {"clips": clips, "frames": stored_frames(data_module), "features": None}
    # Features from `fsarbench features` have the clips that they were computed from.
    unknown = {"frames": given["steps"], "size": 0, "sampling": "unknown"}
    clips = (given["origin"] or {}).get("clips", unknown)
    return {"clips": clips, "frames": None, "features": given}


def _episode_conditions(evaluation: Evaluation) -> dict[str, int]:
    task = evaluation.task
    return {
        "episodes": len(evaluation.labels),
        "way": task.way,
        "shot": task.shot,
        "queries_a_class": task.queries,
    }


def _training_conditions(episodes: EpisodeSettings) -> dict[str, int]:
    task = episodes.of("train")
    return {
        "train_way": task.way,
        "train_shot": task.shot,
        "train_queries_a_class": task.queries,
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


def _parameters(slots: list[SlotParameters]) -> dict[str, Any]:
    return {
        "tuned": sum(slot.tuned for slot in slots),
        "total": sum(slot.total for slot in slots),
        "slots": [asdict(slot) for slot in slots],
    }


def _gflops(operations: EpisodeFlops) -> dict[str, Any]:
    counts = asdict(operations)
    not_counted = counts.pop("not_counted")
    gflops = {name: value / 1e9 for name, value in counts.items()}
    return {**gflops, "not_counted": list(not_counted), "convention": CONVENTION}


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
