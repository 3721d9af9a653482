"""Data sets of the field, whose videos people fetch themselves."""

import os
from collections import defaultdict
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
    without,
)
from fsarbench.data.paths import expand_path
from fsarbench.data.splits import SPLITS, Entry, grouped, named, partition_hash, split_of
from fsarbench.errors import UserError
from fsarbench.registry import DATASETS
from fsarbench.video import Split, SplitName, VideoDataset


@DATASETS.register_module()
class AnnotatedVideos(VideoDataset):
    """Videos under one folder, and a CSV that says which is what.

    The first line of the CSV is `path,class,split`; then comes a line for each video: its path
    below `root`, its class, and `train`, `val` or `test`. More columns may follow, of which two are
    read: `readable`, the class name as prompts want it, and `id`, the video's name, which is the
    same wherever the file lies. `fsarbench data import` writes such a table.

    Args:
        name: The data set's short name; `ssv2` is looked for where `FSARBENCH_SSV2` points.
        root: The folder of the videos; None for the environment variable. `~` and `$NAME` are
            filled in.
        annotations: The CSV; a relative path starts at `root`.
        source: Where people get the videos, for the message when they are missing.
        on_bad_video: `skip` leaves out those that `fsarbench data check` found unreadable.
    """

    def __init__(
        self,
        name: NonEmptyStr,
        root: NonEmptyStr | None = None,
        annotations: NonEmptyStr = "annotations.csv",
        source: str = "",
        on_bad_video: OnBadVideo = "error",
    ) -> None:
        self.name = name
        self.root = root
        self.annotations = annotations
        self.source = source
        self.on_bad_video = on_bad_video

    @property
    def variable(self) -> str:
        """The environment variable that points to the videos.

        Example:
            >>> AnnotatedVideos("kinetics-100").variable
            'FSARBENCH_KINETICS_100'
        """
        return "FSARBENCH_" + "".join(c if c.isalnum() else "_" for c in self.name).upper()

    @property
    def table(self) -> Path:
        """The CSV.

        Raises:
            UserError: The folder of the videos or the CSV is missing.
        """
        path = expand_path(self.annotations, "dataset.annotations", self.folder)
        if not path.is_file():
            raise self._missing(f"there is no list of them at {path} (dataset.annotations)")
        return path

    @property
    def folder(self) -> Path:
        """The folder of the videos.

        Raises:
            UserError: There is none.
        """
        given = self.root or os.environ.get(self.variable)
        if not given:
            raise self._missing(f"dataset.root is not set, nor is {self.variable}")
        root = expand_path(given, "dataset.root")
        if not root.is_dir():
            raise self._missing(f"there is no folder {root}")
        return root

    @property
    def skipped(self) -> Mapping[str, str]:
        """The videos that are left out, by their paths below the root, and why."""
        listed = {row["path"] for row in self._listed()}
        bad = to_skip(self.table, self.on_bad_video)
        return {path: reason for path, reason in bad.items() if path in listed}

    def splits(self) -> dict[SplitName, Split]:
        """The three splits, in the order of the CSV."""
        rows, root = self._rows, self.folder
        readable = {row["class"]: row["readable"] for row in rows}
        return {
            name: split_of(
                name,
                [
                    Entry(row["id"] or row["path"], root / row["path"], row["class"])
                    for row in rows
                    if row["split"] == name
                ],
                lambda key: readable[key] or named(key),
            )
            for name in SPLITS
        }

    def fingerprint(self) -> str:
        """A hash over video ids and their partition; `data import` names the lists that have it."""
        videos = ((row["split"], row["class"], row["id"] or row["path"]) for row in self._rows)
        return partition_hash(grouped(videos))

    def entries(self) -> list[tuple[SplitName, str]]:
        """All lines of the CSV, bad and missing videos among them: split, and path below the root.

        Raises:
            UserError: The CSV cannot be right.
        """
        return [(row.split(), row["path"]) for row in self._listed()]

    def _listed(self) -> list[Row]:
        rows = read_table(self.table, ("path", "class", "split"))
        require_one_split(rows)
        for row in rows:
            require_inside(row, "path")
            row.split()
        _require_once(rows, "path")
        _require_once([row for row in rows if row["id"]], "id")
        return rows

    @cached_property
    def _rows(self) -> list[Row]:
        # Once an object: a run asks for splits and fingerprint, and listing files takes time.
        table, root = self.table, self.folder
        rows = without(self._listed(), to_skip(table, self.on_bad_video))
        require_all_splits(table, [row.split() for row in rows])
        absent = _absent(root, [row["path"] for row in rows])
        if absent:
            raise self._missing(
                f"{len(absent)} of the {len(rows)} videos in {table} are not below {root}, the "
                f"first is {absent[0]}"
            )
        return rows

    def _missing(self, found: str) -> UserError:
        source = f" People get them from: {self.source}." if self.source else ""
        return UserError(
            f"The videos of {self.name} are missing: {found}.{source} Point {self.variable} or "
            f"dataset.root to the folder that holds them, with {self.annotations} "
            "(first line: path,class,split) in it; `fsarbench data import` writes that file from "
            "the field's lists."
        )


def _require_once(rows: list[Row], column: str) -> None:
    first: dict[str, Row] = {}
    for row in rows:
        before = first.setdefault(row[column], row)
        if before is not row:
            raise UserError(
                f"{row.place}: the video {row[column]} is listed before, at {before.place}; "
                "support and query would share it. Take one of the lines out."
            )


def _absent(root: Path, paths: list[str]) -> list[str]:
    # One listing a folder, since asking for each of 70,000 files takes minutes on a network disk.
    folders: dict[Path, set[str]] = defaultdict(set)
    for folder in {(root / path).parent for path in paths}:
        if folder.is_dir():
            folders[folder] = {entry.name for entry in os.scandir(folder)}
    return [p for p in paths if Path(p).name not in folders[(root / p).parent]]
