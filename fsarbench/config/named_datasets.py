"""A data set by the name of its base config, by a config, or by a folder."""

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
from fsarbench.data.clips import ClipSettings
from fsarbench.data.data_module import DataModule
from fsarbench.data.datasets.feature_folder import FeatureFolder, is_feature_folder
from fsarbench.data.datasets.video_folder import VideoFolder
from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.data.video_sources import Source, source_of, source_of_folder
from fsarbench.errors import UserError, nearest
from fsarbench.video import VideoDataset, VideoReader

BASES = Path("_base_") / "datasets"


def named_source(name: str, overrides: Sequence[str] = ()) -> Source:
    """The files of a data set; a folder without a split file counts with all videos in it.

    Args:
        name: A name such as `ssv2`, a config, or a folder.
        overrides: `dataset.key=value`.

    Raises:
        UserError: There is none, or its files are missing.
    """
    if is_feature_folder(Path(name)):
        return source_of(named_dataset(name, overrides))
    if Path(name).is_dir() and not (Path(name) / "splits.csv").is_file():
        return source_of_folder(Path(name).absolute())
    return source_of(named_dataset(name, overrides))


def named_dataset(name: str, overrides: Sequence[str] = ()) -> VideoDataset:
    """The data set of a name, a config, a folder with a split file, or a folder of features.

    Raises:
        UserError: There is none, or its arguments are wrong.
    """
    if is_feature_folder(Path(name)):
        return FeatureFolder(str(Path(name).absolute()))
    if Path(name).is_dir():
        return VideoFolder(str(Path(name).absolute()))
    return build_dataset(_values(name, overrides))


def named_reader(name: str, overrides: Sequence[str] = ()) -> VideoReader:
    """The reader of a config, else the one that is installed; for folders of frames as for files.

    Raises:
        UserError: The arguments of the reader are wrong.
    """
    return build_reader(reader_values(name, overrides))


def reader_values(name: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Values of a config as far as reading needs them; of a folder, its kind of data set."""
    if is_feature_folder(Path(name)):
        return {"dataset": {"type": FeatureFolder.__name__}}
    return {} if Path(name).is_dir() else _values(name, overrides)


def named_data_module(name: str, overrides: Sequence[str] = ()) -> DataModule:
    """The data of a name, a config or a folder, on the CPU, with default episodes.

    Raises:
        UserError: There is none, or its videos are missing.
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


def known() -> list[str]:
    """The names of all data sets that have a base config."""
    return sorted(path.stem for path in (resource("configs") / BASES).glob("*.py"))


def _values(name: str, overrides: Sequence[str]) -> dict[str, Any]:
    if name in known():
        name = str(BASES / name)
    elif not name.endswith(".py") and name not in [*config_names(), *other_names()]:
        raise UserError(
            f"'{name}' is neither a data set, nor a config, nor a folder.{nearest(name, known())}"
        )
    values = load_config(name, overrides).values
    faults = [
        f for slot in ("dataset", "reader") for f in part_faults(slot, slot, values.get(slot))
    ]
    if faults or values.get("dataset") is None:
        listed = "; ".join(f"{fault.key}: {fault.message}" for fault in faults)
        raise UserError(f"{name}: {listed or 'it has no dataset'}.")
    return values
