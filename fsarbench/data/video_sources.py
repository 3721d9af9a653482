"""A data set seen as files: its folder, its videos, and the table beside which lists are kept."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fsarbench.data.annotation_tables import bad_file
from fsarbench.data.datasets.annotated import AnnotatedVideos
from fsarbench.data.datasets.video_folder import VideoFolder
from fsarbench.data.importing.video_finder import find_videos
from fsarbench.errors import UserError
from fsarbench.video import Split, SplitName, VideoDataset


@dataclass(frozen=True)
class Source:
    """The files of a data set.

    Attributes:
        root: The folder below which the paths are.
        videos: Split and path of each video, bad ones among them; the split may be empty.
        bad_list: Where the list of bad videos belongs.
    """

    root: Path
    videos: tuple[tuple[str, str], ...]
    bad_list: Path


def source_of(dataset: VideoDataset) -> Source:
    """The files of a data set, without opening one.

    Raises:
        UserError: Its folder or its table is missing or cannot be right.
    """
    if isinstance(dataset, AnnotatedVideos | VideoFolder):
        return Source(dataset.folder, tuple(dataset.entries()), bad_file(dataset.table))
    return source_of_splits(dataset.splits())


def source_of_folder(folder: Path) -> Source:
    """All videos below a folder that has no table.

    Raises:
        UserError: There is no such folder, or no video in it.
    """
    found = find_videos(folder)
    paths = sorted(path for paths in found.by_name.values() for path in paths)
    if not paths:
        raise UserError(f"There is no video below {folder}.")
    return Source(folder, tuple(("", path) for path in paths), folder / "videos.bad.csv")


def source_of_splits(splits: Mapping[SplitName, Split]) -> Source:
    """The files of splits, below the folder that all of them share."""
    videos = [(name, video.path) for name, split in splits.items() for video in split.videos]
    root = Path(os.path.commonpath([path.parent for _, path in videos]))
    listed = tuple((name, path.relative_to(root).as_posix()) for name, path in videos)
    return Source(root, listed, root / "videos.bad.csv")
