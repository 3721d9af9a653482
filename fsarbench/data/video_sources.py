"""Video files of a data set, and the path of its list of bad videos."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fsarbench.data.annotation_tables import bad_list_path
from fsarbench.data.datasets.annotated import AnnotatedVideos
from fsarbench.data.datasets.feature_folder import FeatureFolder
from fsarbench.data.datasets.video_folder import VideoFolder
from fsarbench.data.importing.video_finder import find_videos
from fsarbench.errors import UserError
from fsarbench.video import Split, SplitName, VideoDataset


@dataclass(frozen=True)
class Source:
    """Video files of a data set.

    Attributes:
        root: Folder that the paths are relative to.
        videos: Split and path of each video, including bad videos; the split may be empty.
        bad_list: Path of the list of bad videos.
    """

    root: Path
    videos: tuple[tuple[str, str], ...]
    bad_list: Path


def source_of(dataset: VideoDataset) -> Source:
    """Video files of a data set, without opening them.

    Raises:
        UserError: The folder or the annotation table is missing or invalid, or the data set has
            features and no videos.
    """
    if isinstance(dataset, FeatureFolder):
        raise UserError(
            f"{dataset.folder} has features and no videos to decode; `fsarbench data info` "
            "examines them."
        )
    if isinstance(dataset, AnnotatedVideos | VideoFolder):
        return Source(dataset.folder, tuple(dataset.entries()), bad_list_path(dataset.table))
    return source_of_splits(dataset.splits())


def source_of_folder(folder: Path) -> Source:
    """All videos below a folder without annotation table.

    Raises:
        UserError: The folder does not exist or has no video.
    """
    index = find_videos(folder)
    paths = sorted(path for paths in index.by_name.values() for path in paths)
    if not paths:
        raise UserError(f"There is no video in {folder} or its subfolders.")
    return Source(folder, tuple(("", path) for path in paths), folder / "videos.bad.csv")


def source_of_splits(splits: Mapping[SplitName, Split]) -> Source:
    """Video files of splits, relative to their common parent folder."""
    videos = [(name, video.path) for name, split in splits.items() for video in split.videos]
    root = Path(os.path.commonpath([path.parent for _, path in videos]))
    listed = tuple((name, path.relative_to(root).as_posix()) for name, path in videos)
    return Source(root, listed, root / "videos.bad.csv")
