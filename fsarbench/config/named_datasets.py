"""Data sets by name, config or folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from fsarbench.arguments.signatures import coerce
from fsarbench.catalogue.config_variants import config_names, other_names
from fsarbench.catalogue.package_data import resource
from fsarbench.config.build import build_dataset, build_reader
from fsarbench.config.loading import load_config
from fsarbench.config.validation import part_faults
from fsarbench.data.clip_settings import ClipSettings
from fsarbench.data.data_module import DataModule
from fsarbench.data.datasets.feature_folder import FeatureFolder, is_feature_folder
from fsarbench.data.datasets.video_folder import VideoFolder
from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.data.video_sources import Source, source_of, source_of_folder
from fsarbench.errors import UserError, nearest
from fsarbench.video import VideoDataset, VideoReader

BASES = Path("_base_") / "datasets"


def named_source(name: str, overrides: Sequence[str] = ()) -> Source:
    """Files of a data set. For a folder without a split file, all videos in the folder.

    Args:
        name: Name such as `ssv2`, config, or folder.
        overrides: Overrides `dataset.key=value`.

    Raises:
        UserError: The data set is unknown, or its files are missing.
    """
    if is_feature_folder(Path(name)):
        return source_of(named_dataset(name, overrides))
    if Path(name).is_dir() and not (Path(name) / "splits.csv").is_file():
        return source_of_folder(Path(name).absolute())
    return source_of(named_dataset(name, overrides))


def named_dataset(name: str, overrides: Sequence[str] = ()) -> VideoDataset:
    """Data set by name or config, or from a folder with a split file or with features.

    Raises:
        UserError: The data set is unknown, or its arguments are invalid.
    """
    if is_feature_folder(Path(name)):
        return FeatureFolder(str(Path(name).absolute()))
    if Path(name).is_dir():
        return VideoFolder(str(Path(name).absolute()))
    return build_dataset(_values(name, overrides))


def named_reader(name: str, overrides: Sequence[str] = ()) -> VideoReader:
    """Reader of a config; without one, a reader for video files and folders of frames.

    Raises:
        UserError: The arguments of the reader are invalid.
    """
    return build_reader(reader_values(name, overrides))


def reader_values(name: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Config values for `build_reader`; for a folder of features, the type of the data set only."""
    if is_feature_folder(Path(name)):
        return {"dataset": {"type": FeatureFolder.__name__}}
    return {} if Path(name).is_dir() else _values(name, overrides)


def named_data_module(name: str, overrides: Sequence[str] = ()) -> DataModule:
    """Data module of a data set by name, config or folder, on the CPU, with default episodes.

    Raises:
        UserError: The data set is unknown, or its videos are missing.
    """
    values = reader_values(name, overrides)
    dataset = named_dataset(name, overrides)
    return DataModule(
        splits=dataset.splits(),
        reader=build_reader(values),
        clips=ClipSettings(**coerce(ClipSettings, values.get("clips", {}))),
        episodes=EpisodeSettings(),
        seed=0,
        device=torch.device("cpu"),
        image_size=dataset.image_size,
        feature_info=dataset.feature_info,
    )


def dataset_names() -> list[str]:
    """Names of all data sets that have a base config."""
    return sorted(path.stem for path in (resource("configs") / BASES).glob("*.py"))


def _values(name: str, overrides: Sequence[str]) -> dict[str, Any]:
    if name in dataset_names():
        name = str(BASES / name)
    elif not name.endswith(".py") and name not in [*config_names(), *other_names()]:
        raise UserError(
            f"'{name}' is neither a data set, nor a config, nor a folder."
            f"{nearest(name, dataset_names())}"
        )
    values = load_config(name, overrides).values
    faults = [
        f for slot in ("dataset", "reader") for f in part_faults(slot, slot, values.get(slot))
    ]
    if faults or values.get("dataset") is None:
        listed = "; ".join(f"{fault.key}: {fault.message}" for fault in faults)
        raise UserError(f"{name}: {listed or 'the key dataset is missing'}.")
    return values
