"""People's own videos: a folder of class folders, and a split file."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from fsarbench.arguments.value_rules import NonEmptyStr
from fsarbench.data.annotation_tables import (
    OnBadVideo,
    Row,
    read_table,
    require_all_splits,
    require_inside,
    require_one_split,
    to_skip,
)
from fsarbench.data.paths import expand_path
from fsarbench.data.splits import SPLITS, Entry, fingerprint, spaced, split_of
from fsarbench.data.video_files import FRAME, VIDEO_SUFFIXES
from fsarbench.errors import UserError, nearest
from fsarbench.registry import DATASETS
from fsarbench.video import Split, SplitName, VideoDataset


@DATASETS.register_module()
class VideoFolder(VideoDataset):
    """A folder of class folders of video files.

    The split file is a CSV whose first line is `class,split`, and then a line for each class: the
    name of its folder, and `train`, `val` or `test`. A third column, `readable`, may give the name
    as prompts want it; without it `ThrowDiscus` and `throw_discus` read "throw discus". Class
    folders that the file does not name are left out.

    Args:
        root: The folder; `~` and `$NAME` are filled in.
        splits: The split file; a relative path starts at `root`.
        on_bad_video: `skip` leaves out those that `fsarbench data check` found unreadable.
    """

    def __init__(
        self,
        root: NonEmptyStr,
        splits: NonEmptyStr = "splits.csv",
        on_bad_video: OnBadVideo = "error",
    ) -> None:
        self.root = root
        self.split_file = splits
        self.on_bad_video = on_bad_video

    @property
    def folder(self) -> Path:
        """The folder of the class folders.

        Raises:
            UserError: There is none.
        """
        root = expand_path(self.root, "dataset.root")
        if not root.is_dir():
            raise UserError(
                f"There is no folder {root}: dataset.root has to be a folder that holds one folder "
                "of videos for each class."
            )
        return root

    @property
    def table(self) -> Path:
        """The split file.

        Raises:
            UserError: There is none.
        """
        path = expand_path(self.split_file, "dataset.splits", self.folder)
        if not path.is_file():
            raise UserError(
                f"There is no split file {path} (dataset.splits): write a CSV with the first line "
                "'class,split' and a line for each class, such as 'jumping,train'; the splits are "
                "train, val and test. `fsarbench data import folder` writes one."
            )
        return path

    @property
    def skipped(self) -> Mapping[str, str]:
        """The videos that are left out, by their paths below the root, and why."""
        listed = {path for _, path in self.entries()}
        bad = to_skip(self.table, self.on_bad_video)
        return {path: reason for path, reason in bad.items() if path in listed}

    def entries(self) -> list[tuple[SplitName, str]]:
        """All videos of the classes, bad ones among them: split, and path below the root.

        Raises:
            UserError: The split file cannot be right, or a class is empty.
        """
        root = self.folder
        return [(row.split(), e.id) for row in self._rows(root) for e in _entries(root, row)]

    def splits(self) -> dict[SplitName, Split]:
        """The three splits, classes in the order of the split file."""
        return dict(self._splits)

    @cached_property
    def _splits(self) -> dict[SplitName, Split]:
        # Once an object: a run asks for splits and fingerprint, and listing folders takes time.
        root = self.folder
        bad = to_skip(self.table, self.on_bad_video)
        rows = self._rows(root)
        readable = {row["class"]: row["readable"] for row in rows}
        return {
            name: split_of(
                name,
                [
                    entry
                    for row in rows
                    if row.split() == name
                    for entry in _entries(root, row)
                    if entry.id not in bad
                ],
                lambda key: readable[key] or spaced(key),
            )
            for name in SPLITS
        }

    def fingerprint(self) -> str:
        """A hash over video ids, their classes and their partition."""
        return fingerprint(self.splits())

    def _rows(self, root: Path) -> list[Row]:
        path = self.table
        rows = read_table(path, ("class", "split"))
        require_one_split(rows)
        require_all_splits(path, [row.split() for row in rows])
        for row in rows:
            require_inside(row, "class")
        _require_folders(root, rows)
        return rows


def _require_folders(root: Path, rows: list[Row]) -> None:
    there = sorted(folder.name for folder in root.iterdir() if folder.is_dir())
    for row in rows:
        if row["class"] not in there:
            raise UserError(
                f"{row.place}: there is no folder {root / row['class']} for the class "
                f"'{row['class']}'.{nearest(row['class'], there)}"
            )


def videos_of(folder: Path) -> list[Path]:
    """The video files of a class folder and its folders of extracted frames, sorted by name."""
    return sorted(path for path in folder.iterdir() if _is_video(path))


def _is_video(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return True
    return path.is_dir() and any(FRAME.fullmatch(inside.name) for inside in path.iterdir())


def _entries(root: Path, row: Row) -> list[Entry]:
    name = row["class"]
    files = videos_of(root / name)
    if not files:
        raise UserError(
            f"{row.place}: the class '{name}' is empty, {root / name} has no video "
            f"({', '.join(sorted(VIDEO_SUFFIXES))}). Add videos, or take the class out of the "
            "split file."
        )
    return [Entry(f"{name}/{path.name}", path, name) for path in files]
