"""Encoding of the videos of a data set into a folder of features, for `fsarbench features`."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.catalogue.pretraining import seen_record
from fsarbench.config.build import assemble, build_settings
from fsarbench.config.components import dataset_name
from fsarbench.config.loading import LoadedConfig, apply_override
from fsarbench.config.resolved import load_resolved_config
from fsarbench.config.validation import check_config
from fsarbench.data.data_module import DataModule
from fsarbench.data.datasets.feature_folder import INFO, TABLE
from fsarbench.data.loader import ClipDataset, clip_loader
from fsarbench.data.splits import SPLITS, grouped, partition_hash
from fsarbench.episode import VideoFeatures
from fsarbench.errors import UserError, nearest
from fsarbench.evaluation.cache_policy import cache_obstacle
from fsarbench.evaluation.disk_cache import encoder_fingerprint
from fsarbench.evaluation.feature_cache import text_bank
from fsarbench.experiments.reload import restore
from fsarbench.experiments.run import load_one_seed
from fsarbench.model import FewShotModel, count_parameters
from fsarbench.results.finished_runs import Run, read_run
from fsarbench.results.run_result import clip_conditions, split_sizes
from fsarbench.runtime.atomic_files import (
    atomic_path,
    remove_stale_files,
    require_writable,
    write_errors,
    write_text,
)
from fsarbench.runtime.environment import choose_device, describe_device, versions
from fsarbench.runtime.feature_files import write_features
from fsarbench.runtime.finite_checks import require_finite, require_finite_weights
from fsarbench.runtime.folder_lock import is_used, locked_folder
from fsarbench.runtime.progress import ProgressBar, ProgressBars
from fsarbench.settings import EvaluateSettings, processes
from fsarbench.training.resume import flatten, require_same
from fsarbench.video import Split, SplitName

SCHEMA = 1
TEXT = "text.npz"
# Videos per file, rounded up to whole batches. A killed command loses at most one file.
SHARD = 256
# Components that the features depend on.
ENCODERS = ("dataset", "reader", "backbone", "adapter")


@dataclass(frozen=True, kw_only=True)
class FeatureJob:
    """Inputs and output folder of the encoding.

    Attributes:
        folder: Folder of the features.
        loaded: Config.
        settings: Settings with batch size and number of workers.
        model: Model in evaluation mode, on its device.
        data_module: Videos and clips.
        fingerprint: Fingerprint of the videos.
        checkpoint: Checkpoint of the run that trained the backbone; None without a run.
    """

    folder: Path
    loaded: LoadedConfig
    settings: EvaluateSettings
    model: FewShotModel
    data_module: DataModule
    fingerprint: str
    checkpoint: Mapping[str, str] | None

    @property
    def shard(self) -> int:
        """Videos per file: a multiple of the batch size, so that resuming gives equal files."""
        batch = self.settings.batch_size
        return batch * -(-SHARD // batch)


def write_feature_folder(
    config: str | None,
    overrides: Sequence[str] = (),
    *,
    out: str,
    run: str | None = None,
    splits: Sequence[str] = (),
    device: str | None = None,
    trust: bool = False,
    quiet: bool = False,
) -> Path:
    """Encode all videos of some splits, and write features, table and conditions to a folder.

    The videos are encoded as queries, without text and from test clips. An interrupted command can
    be resumed.

    Args:
        config: Config file or name of a config; None with `run`.
        overrides: Strings `key=value`.
        out: Folder of the features.
        run: Folder of a finished run whose config and checkpoint are used; None with `config`.
        splits: Splits to encode; empty for all splits.
        device: Name of the device; None for the GPU if there is one.
        trust: Whether to import the modules of `custom_imports` of the run.
        quiet: Show no progress.

    Raises:
        UserError: The features of a video depend on other videos or on text, the folder has other
            content, or a video cannot be read.
    """
    selected = split_names(splits)
    require_writable(Path(out), "--out", folder=True)
    finished = None if run is None else finished_run(run)
    loaded = load_source(config, finished, overrides, trust)
    job = prepare(loaded, finished, Path(out), choose_device(device))
    require_independent_features(job.model, job.data_module)
    with locked_folder(job.folder), torch.no_grad():
        info = begin(job, selected)
        bars = ProgressBars(quiet=quiet)
        for name in info["splits"]:
            split = job.data_module.splits[name]
            with bars.task(f"encode {name}", len(split.videos)) as bar:
                encode_split(job, split, bar)
        finish(job, info)
    print(summary(job, info))
    return job.folder


def split_names(names: Sequence[str]) -> list[SplitName]:
    """Splits in the order train, val, test; all splits without names.

    Raises:
        UserError: A split is unknown.
    """
    for name in names:
        if name not in SPLITS:
            raise UserError(f"--split {name}: unknown split.{nearest(name, SPLITS)}")
    return [name for name in SPLITS if name in names or not names]


def finished_run(path: str) -> Run:
    """Finished run in a folder.

    Raises:
        UserError: The folder contains no finished run.
    """
    return read_run(Path(path))[0]


def load_source(
    config: str | None, run: Run | None, overrides: Sequence[str], trust: bool
) -> LoadedConfig:
    """Load and check the config of the backbone and the videos, from a file or a run.

    Raises:
        UserError: The config is invalid, or both or none of config and run are given.
    """
    if (config is None) == (run is None):
        raise UserError("Give a config, or --run RUN with the folder of a finished run.")
    if config is not None:
        return load_one_seed(config, overrides)
    assert run is not None
    loaded = load_resolved_config(run.folder / "config.py", trust)
    for override in overrides:
        apply_override(loaded, override)
    check_config(loaded)
    return loaded


def prepare(
    loaded: LoadedConfig, run: Run | None, folder: Path, device: torch.device
) -> FeatureJob:
    """Build model and data of a config, and load the checkpoint of a run if there is one.

    Raises:
        UserError: Videos, weights or checkpoint are missing or damaged.
    """
    model, data_module, fingerprint = assemble(loaded, device)
    if run is not None:
        restore(model, run)
    require_finite_weights(model, f"The weights of {loaded.name}")
    return FeatureJob(
        folder=folder,
        loaded=loaded,
        settings=build_settings(loaded.values).evaluate,
        model=model.eval(),
        data_module=data_module,
        fingerprint=fingerprint,
        checkpoint=None if run is None else run.result.get("checkpoint"),
    )


def require_independent_features(model: FewShotModel, data_module: DataModule) -> None:
    """Check that the features of a video depend only on this video.

    Raises:
        UserError: The features depend on other videos, on text or on the episode, or the data set
            consists of features.
    """
    backbone = model.backbone
    if backbone.takes_features:
        raise UserError("The data set of this config consists of features; expected videos.")
    obstacle = cache_obstacle(model, data_module.clips)
    readers = [type(m).__name__ for m in backbone.modules() if getattr(m, "uses_text", False)]
    if not obstacle and readers and model.text_encoder is not None:
        obstacle = (
            f"{readers[-1]} uses the text features of the class of a support video, so the support "
            "and query features of a video differ"
        )
    if obstacle:
        stochastic = data_module.clips.stochastic and not backbone.joint
        remedy = "Set clips.sampling='centre'" if stochastic else "Choose another adapter"
        raise UserError(
            f"The features of a video cannot be written to a file, because {obstacle}. {remedy}; "
            "`fsarbench run` tests this model on the videos."
        )


def begin(job: FeatureJob, splits: Sequence[SplitName]) -> dict[str, Any]:
    """Record the conditions of the features, or compare them with those of the folder.

    Returns:
        Content of `features.json`, with existing and new splits.

    Raises:
        UserError: The folder has other content, or features of other conditions.
    """
    record = job.folder / INFO
    conditions = flatten(conditions_of(job))
    done: list[str] = []
    if record.is_file():
        before = read_record(record)
        require_same(before["conditions"], conditions, job.folder)
        done = list(before["splits"])
        remove_stale_files(job.folder)
        if before["complete"] and set(splits) <= set(done):
            return before
    elif is_used(job.folder):
        raise UserError(f"--out {job.folder} is not empty. Give a new folder.")
    names = [name for name in SPLITS if name in done or name in splits]
    info = {**description(job, names, conditions["weights"]), "conditions": conditions}
    write_text(record, json.dumps(info, indent=1) + "\n")
    return info


def read_record(path: Path) -> dict[str, Any]:
    """Content of the `features.json` of an earlier call.

    Raises:
        UserError: The file is damaged.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return {**record, **{key: record[key] for key in ("conditions", "splits", "complete")}}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged ({error!r}). Give a new folder.") from None


def conditions_of(job: FeatureJob) -> dict[str, Any]:
    """Conditions that the features depend on."""
    facts = encoder_fingerprint(job.model.backbone, job.data_module, "")
    del facts["config"]
    return {
        **{key: job.loaded.values.get(key) for key in ENCODERS},
        **facts,
        "data_fingerprint": job.fingerprint,
        "evaluate": {"batch_size": job.settings.batch_size},
    }


def description(job: FeatureJob, names: Sequence[SplitName], weights: str) -> dict[str, Any]:
    """Description of the features for `features.json`; `complete` is set at the end."""
    values, data_module = job.loaded.values, job.data_module
    dataset = values["dataset"]
    videos = [data_module.splits[name] for name in names]
    return {
        "schema": SCHEMA,
        "complete": False,
        "dataset": dataset.get("name") or dataset_name(values),
        "data_fingerprint": job.fingerprint,
        "partition": partition_hash(grouped(video_rows(videos))),
        "splits": {split.name: split_sizes(split) for split in videos},
        "backbone": backbone_name(values),
        "seen_data": seen_record(values["backbone"]),
        "weights": weights,
        "checkpoint": job.checkpoint,
        "clips": clip_conditions(data_module.clips),
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "versions": versions(),
        "device": describe_device(data_module.device),
        "config": job.loaded.text(),
    }


def video_rows(splits: Sequence[Split]) -> list[tuple[str, str, str]]:
    """Split, class and id of every video."""
    return [(s.name, s.classes[video.label], video.id) for s in splits for video in s.videos]


def backbone_name(values: Mapping[str, Any]) -> str:
    """Model, weights and adapter of a config, for tables."""
    spec, adapter = values["backbone"], (values.get("adapter") or {}).get("type", "Frozen")
    name = str(spec.get("model") or spec["type"])
    weights = f" ({spec['pretrained']})" if isinstance(spec.get("pretrained"), str) else ""
    return f"{name}{weights}" + ("" if adapter == "Frozen" else f" with {adapter}")


def shard_file(name: str, number: int) -> str:
    """Name of a file with features of a split.

    Example:
        >>> shard_file("test", 3)
        'test-00003.safetensors'
    """
    return f"{name}-{number:05d}.safetensors"


def encode_split(job: FeatureJob, split: Split, bar: ProgressBar) -> None:
    """Encode the videos of a split and write them file by file; existing files are kept."""
    size, count = job.shard, len(split.videos)
    starts = [
        start
        for start in range(0, count, size)
        if not (job.folder / shard_file(split.name, start // size)).is_file()
    ]
    order = [video for start in starts for video in range(start, min(start + size, count))]
    bar.skip(count - len(order))
    if not order:
        return
    data = ClipDataset(split, job.data_module.reader, job.data_module.clips)
    settings = job.settings
    loader = clip_loader(data, settings.batch_size, processes(settings.workers), order=order)
    rows: list[Tensor] = []
    for clips in loader:
        rows += encode(job, clips).cpu().unbind(0)
        bar.advance(len(clips))
        start = starts[0]
        if len(rows) >= min(size, count - start):
            features = torch.stack(rows)
            first, last = split.videos[start].id, split.videos[start + len(rows) - 1].id
            require_finite(features, f"The features of the videos {first} to {last}")
            write_features(job.folder / shard_file(split.name, start // size), features)
            rows, starts = [], starts[1:]


def encode(job: FeatureJob, clips: Tensor) -> Float[Tensor, "V S D"]:
    """Features of a batch of clips, encoded as queries, in fp32."""
    output = job.model.backbone(clips.to(job.data_module.device), None)
    features = output.frames if isinstance(output, VideoFeatures) else output
    return features.float()


def finish(job: FeatureJob, info: dict[str, Any]) -> None:
    """Write table and text features, and mark the folder as complete."""
    splits = [job.data_module.splits[name] for name in info["splits"]]
    write_table(job.folder / TABLE, splits, job.shard)
    write_text_features(job, splits)
    info["complete"] = True
    write_text(job.folder / INFO, json.dumps(info, indent=1) + "\n")


def write_table(path: Path, splits: Sequence[Split], shard: int) -> None:
    """Write the table of all videos, with the file and the row of each."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("path", "row", "class", "split", "readable", "id"))
    for split in splits:
        for number, video in enumerate(split.videos):
            file = shard_file(split.name, number // shard)
            names = split.classes[video.label], split.name, split.readable[video.label]
            writer.writerow((file, number % shard, *names, video.id))
    write_text(path, text.getvalue())


def write_text_features(job: FeatureJob, splits: Sequence[Split]) -> None:
    """Write the text features of the classes, if there are a text encoder and readable names."""
    with_names = [split for split in splits if all(split.readable)]
    if job.model.text_encoder is None or not with_names:
        return
    banks = [bank for split in with_names if (bank := text_bank(job.model, split)) is not None]
    features = torch.cat(banks).float().cpu().numpy()
    classes = np.array([name for split in with_names for name in split.readable])
    path = job.folder / TEXT
    corpus = np.array(job.model.text_encoder.corpus_sha256)
    with write_errors(path), atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, classes=classes, features=features, corpus_sha256=corpus)


def summary(job: FeatureJob, info: Mapping[str, Any]) -> str:
    """Summary of the written features, with the lines of a config that use them."""
    folder = job.folder.absolute()
    videos = sum(split["videos"] for split in info["splits"].values())
    lines = [f"features of {videos:,} videos ({', '.join(info['splits'])}) are in {job.folder}"]
    trainable = count_parameters(job.model.backbone, trainable=True)
    if trainable and job.checkpoint is None:
        lines.append(
            f"the {trainable:,} trainable parameters of the backbone are untrained; use --run RUN "
            "for those of a trained run"
        )
    lines += [
        "in a config:",
        f'dataset = dict(_delete_=True, type="FeatureFolder", root="{folder}")',
        'backbone = dict(_delete_=True, type="Precomputed")',
    ]
    if (folder / TEXT).is_file():
        file = folder / TEXT
        lines.append(f'text_encoder = dict(_delete_=True, type="PrecomputedText", file="{file}")')
    return "\n".join(lines)
