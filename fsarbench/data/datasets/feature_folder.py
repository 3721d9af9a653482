"""Data set of precomputed features, with a table of videos, classes and splits."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fsarbench.arguments.value_rules import NonEmptyStr
from fsarbench.data.annotation_tables import (
    Row,
    existing_paths,
    read_table,
    require_inside,
    require_one_split,
    require_unique,
)
from fsarbench.data.paths import expand_path
from fsarbench.data.splits import SPLITS, Entry, grouped, partition_hash, readable_name, split_of
from fsarbench.data.video_files import without_suffix
from fsarbench.errors import UserError
from fsarbench.registry import DATASETS
from fsarbench.runtime.feature_files import KEY, SUFFIXES, load_npz, npz_features
from fsarbench.video import Split, SplitName, VideoDataset

TABLE, INFO = "features.csv", "features.json"


@dataclass(frozen=True)
class FeatureEntry:
    """Video in a table of features.

    Attributes:
        entry: Id, file, row in the file, and class.
        split: Split of the class.
        readable: Class name for prompts; empty to derive it from the class name.
    """

    entry: Entry
    split: SplitName
    readable: str = ""


@DATASETS.register_module()
class FeatureFolder(VideoDataset):
    """Features in `.npy`, `.npz` or `.safetensors` files, with a table (CSV).

    The table starts with the header line `path,class,split` and has one line per video: the file of
    its features relative to `root`, its class, and `train`, `val` or `test`. The file holds an
    array "S D" or "D"; in `.npz` and `.safetensors` files, the array has the name `features`. With
    a fourth column `row`, a file holds the features of several videos, "V S D" or "V D", and the
    column is the row of the video. If `path` is a video file, as in the table of
    `AnnotatedVideos`, the file of its features has the same name, or the name in the column `id`,
    and one of the three suffixes. The column `readable` is the class name for prompts. A split may
    have no videos. `fsarbench features` writes such a folder.

    Without a table, `root` is one `.npz` file with the arrays `features` "V S D" or "V D", `labels`
    (class of each video), `splits` (`train`, `val` or `test` for each video) and optionally `ids`.

    Args:
        root: Folder of the features, or the `.npz` file; `~` and `$NAME` are expanded.
        table: Table of the videos; relative paths start at `root`.
        name: Name of the data set in tables of results; None for the data set in `features.json`,
            whose videos were encoded.
    """

    default_reader = "ArrayReader"

    def __init__(
        self, root: NonEmptyStr, table: NonEmptyStr = TABLE, name: NonEmptyStr | None = None
    ) -> None:
        self.root = root
        self.table_file = table
        self.name = name

    @property
    def folder(self) -> Path:
        """Folder of the features, or the `.npz` file.

        Raises:
            UserError: The folder or file does not exist.
        """
        root = expand_path(self.root, "dataset.root")
        if not (root.is_dir() or (root.is_file() and root.suffix == ".npz")):
            raise UserError(
                f"There is no folder {root}: dataset.root has to be a folder with a table {TABLE} "
                "and files of features, as `fsarbench features CONFIG -o DIR` writes it, or one "
                ".npz file."
            )
        return root

    @property
    def table(self) -> Path:
        """Path of the table.

        Raises:
            UserError: The table does not exist.
        """
        path = expand_path(self.table_file, "dataset.table", self.folder)
        if not path.is_file():
            info = self.feature_info
            unfinished = "`fsarbench features` did not finish: repeat the command to resume it. "
            raise UserError(
                f"There is no table {path} (dataset.table). {unfinished if info else ''}Write a "
                "CSV file with the first line 'path,class,split' and one line per video, such as "
                "'features/1.npy,jumping,train'; a file of several videos needs a fourth column "
                "'row'. The table of the videos also works: dataset.table='/data/annotations.csv'."
            )
        return path

    @cached_property
    def feature_info(self) -> Mapping[str, Any]:
        """Contents of `features.json`, which `fsarbench features` writes; empty without it.

        Raises:
            UserError: The file is damaged.
        """
        path = self.folder / INFO
        if not path.is_file():
            return {}
        try:
            info = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(f"{path} is not valid JSON ({error}): restore or remove it.") from None
        if not isinstance(info, dict):
            raise UserError(f"{path} is not a JSON object: restore or remove it.")
        return info

    def require_videos(self) -> None:
        """Look for the folder and its table.

        Raises:
            UserError: One of them does not exist.
        """
        if self.folder.is_dir():
            _ = self.table

    def splits(self) -> dict[SplitName, Split]:
        """Splits train, val and test in the order of the table; splits without videos are empty."""
        readable = {e.entry.class_name: e.readable for e in self._entries}
        return {
            name: split_of(
                name,
                [e.entry for e in self._entries if e.split == name],
                lambda key: readable[key] or readable_name(key),
            )
            for name in SPLITS
        }

    def fingerprint(self) -> str:
        """Fingerprint of the encoded videos, if the table was not changed after writing.

        With a changed table or without `features.json`, hash over the video ids of each split.
        """
        videos = ((e.split, e.entry.class_name, e.entry.id) for e in self._entries)
        partition = partition_hash(grouped(videos))
        unchanged = self.feature_info.get("partition") == partition
        return str(self.feature_info["data_fingerprint"]) if unchanged else partition

    @cached_property
    def _entries(self) -> list[FeatureEntry]:
        # Cached: splits() and fingerprint() both need the rows, and listing the files is slow.
        if self.folder.is_file():
            return archive_entries(self.folder)
        return table_entries(self.folder, self.table)


def table_entries(root: Path, table: Path) -> list[FeatureEntry]:
    """Videos of a table with files in a folder.

    Raises:
        UserError: The table is invalid, or a file does not exist.
    """
    rows = read_table(table, ("path", "class", "split"))
    splits = {row.location: row.split() for row in rows}
    require_one_split(rows)
    for row in rows:
        require_inside(row, "path")
        require_inside(row, "id")
    require_unique([row for row in rows if row["id"]], "id")
    numbers = {row.location: row_number(row) for row in rows}
    files = find_files(root, rows)
    first: dict[tuple[str, int | None], Row] = {}
    for row in rows:
        before = first.setdefault((files[row.location], numbers[row.location]), row)
        if before is not row:
            raise UserError(
                f"{row.location}: the features {files[row.location]} are already listed at "
                f"{before.location}. Remove one of the lines, or add the column 'row' if the file "
                "holds several videos."
            )
    return [
        FeatureEntry(
            Entry(id_of(row), root / files[row.location], row["class"], numbers[row.location]),
            splits[row.location],
            row["readable"],
        )
        for row in rows
    ]


def id_of(row: Row) -> str:
    """Id of a video from the column `id`, or from path and row."""
    return row["id"] or (f"{row['path']}#{row['row']}" if row["row"] else row["path"])


def row_number(row: Row) -> int | None:
    """Row of a video in its file; None for a file of one video.

    Raises:
        UserError: The cell is not a number.
    """
    if not row["row"]:
        return None
    if not row["row"].isdecimal():
        raise UserError(f"{row.location}: row is '{row['row']}'; expected a number from 0.")
    return int(row["row"])


def find_files(root: Path, rows: Sequence[Row]) -> dict[str, str]:
    """Files of features by location of the row, relative to the root.

    Raises:
        UserError: A file does not exist; the message has the expected names of the first missing
            file.
    """
    candidates = {row.location: file_names(row) for row in rows}
    existing = existing_paths(root, (name for names in candidates.values() for name in names))
    files = {
        location: next((name for name in names if name in existing), "")
        for location, names in candidates.items()
    }
    absent = [location for location, file in files.items() if not file]
    if absent:
        raise UserError(
            f"{len(absent)} of {len(rows)} files of features do not exist in {root}; the first is "
            f"that of {absent[0]}: there is no {' or '.join(candidates[absent[0]])}."
        )
    return files


def file_names(row: Row) -> list[str]:
    """Possible names of the file of a video, relative to the root.

    Example:
        >>> file_names(Row("line 2", {"path": "a/1.mp4", "id": ""}))
        ['a/1.safetensors', 'a/1.npy', 'a/1.npz']
    """
    path = row["path"]
    if Path(path).suffix in SUFFIXES:
        return [path]
    stems = dict.fromkeys(filter(None, (row["id"], without_suffix(path))))
    return [f"{stem}{suffix}" for stem in stems for suffix in SUFFIXES]


def archive_entries(path: Path) -> list[FeatureEntry]:
    """Videos of one `.npz` file with labels and splits.

    Raises:
        UserError: An array is missing or has another length, or a label or split is wrong.
    """
    arrays = load_npz(path, ("labels", "splits", "ids"))
    shape = npz_features(path).shape
    count = shape[0] if shape else 0
    arrays.setdefault("ids", np.arange(count))
    for name in ("labels", "splits", "ids"):
        if name not in arrays or arrays[name].shape != (count,):
            has = f"has the shape {arrays[name].shape}" if name in arrays else "is missing"
            raise UserError(
                f"{path}: the array '{name}' {has}; expected {count} values, one for each row of "
                f"'{KEY}' {shape}: labels = class of each video, splits = train, val "
                "or test for each video, ids = name of each video (optional)."
            )
    columns = (arrays[name].astype(str).tolist() for name in ("ids", "labels", "splits"))
    rows = [
        Row(f"{path}, row {number}", {"id": name, "class": label, "split": split})
        for number, (name, label, split) in enumerate(zip(*columns, strict=True))
    ]
    splits = [row.split() for row in rows]
    require_one_split(rows)
    require_unique(rows, "id")
    return [
        FeatureEntry(Entry(row["id"], path, row["class"], number), split)
        for number, (row, split) in enumerate(zip(rows, splits, strict=True))
    ]


def is_feature_folder(path: Path) -> bool:
    """Whether a path is a folder of features with the usual table, or an archive of them."""
    return (
        (path / TABLE).is_file()
        or (path / INFO).is_file()
        or (path.suffix == ".npz" and path.is_file())
    )
