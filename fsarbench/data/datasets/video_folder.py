"""Your own videos: a folder of class folders, and a split file."""

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
    skipped_reasons,
)
from fsarbench.data.paths import expand_path
from fsarbench.data.side_file_paths import with_side_files
from fsarbench.data.splits import SPLITS, Entry, fingerprint, spaced, split_of
from fsarbench.data.video_files import FRAME, VIDEO_SUFFIXES
from fsarbench.errors import UserError, nearest
from fsarbench.registry import DATASETS
from fsarbench.video import Split, SplitName, VideoDataset


@DATASETS.register_module()
class VideoFolder(VideoDataset):
    """Videos in one folder per class, with a split file (CSV).

    The split file starts with the header line `class,split` and has one line per class: the name of
    its folder, and `train`, `val` or `test`. An optional third column, `readable`, gives the class
    name for prompts; by default, `ThrowDiscus` and `throw_discus` become "throw discus". Class
    folders that are not in the split file are ignored.

    Args:
        root: Folder of the class folders; `~` and `$NAME` are expanded.
        splits: Split file; relative paths start at `root`.
        on_bad_video: `skip` leaves out videos that `fsarbench data check` found unreadable; with
            `error`, reading one ends the run.
        extra: Path of a side file (`.npy`) of every video by name, with `{id}` for the video's id
            or `{stem}` for the id without suffix; relative paths start at `root`. Components that
            name it in their `extra` receive the arrays.
    """

    def __init__(
        self,
        root: NonEmptyStr,
        splits: NonEmptyStr = "splits.csv",
        on_bad_video: OnBadVideo = "error",
        extra: Mapping[str, NonEmptyStr] | None = None,
    ) -> None:
        self.root = root
        self.split_file = splits
        self.on_bad_video = on_bad_video
        self.extra = extra

    @property
    def folder(self) -> Path:
        """Folder of the class folders.

        Raises:
            UserError: The folder does not exist.
        """
        root = expand_path(self.root, "dataset.root")
        if not root.is_dir():
            raise UserError(
                f"There is no folder {root}: dataset.root has to be a folder with one folder of "
                "videos per class."
            )
        return root

    @property
    def table(self) -> Path:
        """Path of the split file.

        Raises:
            UserError: The split file does not exist.
        """
        path = expand_path(self.split_file, "dataset.splits", self.folder)
        if not path.is_file():
            raise UserError(
                f"There is no split file {path} (dataset.splits): write a CSV file with the first "
                "line 'class,split' and one line per class, such as 'jumping,train'; the splits "
                "are train, val and test. `fsarbench data import folder` writes such a file."
            )
        return path

    @property
    def skipped(self) -> Mapping[str, str]:
        """Reasons for the videos that are left out, by path relative to the root."""
        listed = {path for _, path in self.entries()}
        bad = skipped_reasons(self.table, self.on_bad_video)
        return {path: reason for path, reason in bad.items() if path in listed}

    def entries(self) -> list[tuple[SplitName, str]]:
        """Split and relative path of all videos, including bad ones.

        Raises:
            UserError: The split file is invalid, or a class has no video.
        """
        root = self.folder
        return [
            (row.split(), entry.id) for row in self._rows(root) for entry in _entries(root, row)
        ]

    def splits(self) -> dict[SplitName, Split]:
        """The three splits; classes are in the order of the split file."""
        return dict(self._splits)

    @cached_property
    def _splits(self) -> dict[SplitName, Split]:
        # Cached: splits() and fingerprint() both need it, and listing the folders is slow.
        root = self.folder
        bad = skipped_reasons(self.table, self.on_bad_video)
        rows = self._rows(root)
        readable = {row["class"]: row["readable"] for row in rows}
        splits = {
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
        return with_side_files(splits, root, self.extra)

    def require_videos(self) -> None:
        """Look for the folder, the split file, and the folder of every class.

        Raises:
            UserError: One of them is missing, or the split file is invalid.
        """
        self._rows(self.folder)

    def fingerprint(self) -> str:
        """Hash over video ids, classes and splits."""
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
    folders = sorted(folder.name for folder in root.iterdir() if folder.is_dir())
    for row in rows:
        if row["class"] not in folders:
            raise UserError(
                f"{row.location}: there is no folder {root / row['class']} for the class "
                f"'{row['class']}'.{nearest(row['class'], folders)}"
            )


def videos_of(folder: Path) -> list[Path]:
    """Video files and folders of extracted frames in a class folder, sorted by name."""
    return sorted(path for path in folder.iterdir() if _is_video(path))


def _is_video(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return True
    return path.is_dir() and any(FRAME.fullmatch(file.name) for file in path.iterdir())


def _entries(root: Path, row: Row) -> list[Entry]:
    name = row["class"]
    files = videos_of(root / name)
    if not files:
        raise UserError(
            f"{row.location}: the class '{name}' is empty: {root / name} has no video "
            f"({', '.join(sorted(VIDEO_SUFFIXES))}). Add videos, or remove the class from the "
            "split file."
        )
    return [Entry(f"{name}/{path.name}", path, name) for path in files]
