"""Data sets of the field, whose videos people fetch themselves."""

import os
from collections import defaultdict
from pathlib import Path

from fsarbench.data.places import expanded
from fsarbench.data.splits import SPLITS, Entry, fingerprint, spaced, split_of
from fsarbench.data.tables import Row, read_table, require_all_splits, require_one_split
from fsarbench.errors import UserError
from fsarbench.interfaces import Split, SplitName, VideoDataset
from fsarbench.registry import DATASETS


@DATASETS.register_module()
class AnnotatedVideos(VideoDataset):
    """Videos under one folder, and a CSV that says which is what.

    The first line of the CSV is `path,class,split`; then comes a line for each video: its path
    below `root`, its class, and `train`, `val` or `test`. A fourth column, `readable`, may give the
    class name as prompts want it.

    Args:
        name: The data set's short name; `ssv2` is looked for where `FSARBENCH_SSV2` points.
        root: The folder of the videos; None for the environment variable. `~` and `$NAME` are
            filled in.
        annotations: The CSV; a relative path starts at `root`.
        source: Where people get the videos, for the message when they are missing.
    """

    def __init__(
        self,
        name: str,
        root: str | None = None,
        annotations: str = "annotations.csv",
        source: str = "",
    ) -> None:
        self.name = name
        self.root = root
        self.annotations = annotations
        self.source = source

    @property
    def variable(self) -> str:
        """The environment variable that points to the videos.

        Example:
            >>> AnnotatedVideos("kinetics-100").variable
            'FSARBENCH_KINETICS_100'
        """
        return "FSARBENCH_" + "".join(c if c.isalnum() else "_" for c in self.name).upper()

    def splits(self) -> dict[SplitName, Split]:
        """The three splits, in the order of the CSV."""
        root = self._root()
        rows = self._rows(root)
        readable = {row["class"]: row["readable"] for row in rows}
        return {
            name: split_of(
                name,
                [
                    Entry(row["path"], root / row["path"], row["class"])
                    for row in rows
                    if row["split"] == name
                ],
                lambda key: readable[key] or spaced(key),
            )
            for name in SPLITS
        }

    def fingerprint(self) -> str:
        """A hash over video ids, their classes and their partition."""
        return fingerprint(self.splits())

    def _root(self) -> Path:
        given = self.root or os.environ.get(self.variable)
        if not given:
            raise self._missing(f"dataset.root is not set, nor is {self.variable}")
        root = expanded(given, "dataset.root")
        if not root.is_dir():
            raise self._missing(f"there is no folder {root}")
        return root

    def _rows(self, root: Path) -> list[Row]:
        path = expanded(self.annotations, "dataset.annotations", root)
        if not path.is_file():
            raise self._missing(f"there is no list of them at {path} (dataset.annotations)")
        rows = read_table(path, ("path", "class", "split"))
        require_one_split(rows)
        require_all_splits(path, [row.split() for row in rows])
        _require_once(rows)
        absent = _absent(root, [row["path"] for row in rows])
        if absent:
            raise self._missing(
                f"{len(absent)} of the {len(rows)} videos in {path} are not below {root}, the "
                f"first is {absent[0]}"
            )
        return rows

    def _missing(self, found: str) -> UserError:
        source = f" People get them from: {self.source}." if self.source else ""
        return UserError(
            f"The videos of {self.name} are missing: {found}.{source} Point {self.variable} or "
            f"dataset.root to the folder that holds them, with {self.annotations} "
            "(first line: path,class,split) in it."
        )


def _require_once(rows: list[Row]) -> None:
    first: dict[str, Row] = {}
    for row in rows:
        before = first.setdefault(row["path"], row)
        if before is not row:
            raise UserError(
                f"{row.place}: the video {row['path']} is listed before, at {before.place}; "
                "support and query would share it. Take one of the lines out."
            )


def _absent(root: Path, paths: list[str]) -> list[str]:
    # One listing a folder, since asking for each of 70,000 files takes minutes on a network disk.
    folders: dict[Path, set[str]] = defaultdict(set)
    for folder in {(root / path).parent for path in paths}:
        if folder.is_dir():
            folders[folder] = {entry.name for entry in os.scandir(folder)}
    return [p for p in paths if Path(p).name not in folders[(root / p).parent]]
