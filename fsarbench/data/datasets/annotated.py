"""Published data sets whose videos the user downloads; an annotation table lists them."""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from fsarbench.arguments.value_rules import NonEmptyStr
from fsarbench.data.annotation_tables import (
    OnBadVideo,
    Row,
    existing_paths,
    missing_file,
    read_table,
    require_all_splits,
    require_inside,
    require_one_split,
    require_unique,
    skipped_reasons,
    without,
)
from fsarbench.data.paths import expand_path
from fsarbench.data.side_file_paths import with_side_files
from fsarbench.data.splits import SPLITS, Entry, grouped, partition_hash, readable_name, split_of
from fsarbench.errors import UserError
from fsarbench.registry import DATASETS
from fsarbench.video import Split, SplitName, VideoDataset

# Number of videos that a run looks for before it imports torch.
LOOKED_FOR = 50


@DATASETS.register_module()
class AnnotatedVideos(VideoDataset):
    """Videos in one folder, with an annotation table (CSV).

    The table starts with the header line `path,class,split` and has one line per video: its path
    relative to `root`, its class, and `train`, `val` or `test`. Two further columns are optional:
    `readable`, the class name for prompts, and `id`, a name of the video that does not depend on
    its path. Other columns are ignored. `fsarbench data import` writes such a table.

    Args:
        name: Short name of the data set. It names the environment variable of the folder, for
            example `FSARBENCH_SSV2` for `ssv2`.
        root: Folder of the videos; None for the environment variable. `~` and `$NAME` are expanded.
        annotations: Annotation table; relative paths start at `root`.
        source: Where to get the videos, for the error message if they are missing.
        on_bad_video: `skip` leaves out videos that `fsarbench data check` found unreadable; with
            `error`, reading one ends the run.
        extra: Path of a side file (`.npy`) of every video by name, with `{id}` for the video's id
            or `{stem}` for the id without suffix; relative paths start at `root`. Components that
            name it in their `extra` receive the arrays.
    """

    def __init__(
        self,
        name: NonEmptyStr,
        root: NonEmptyStr | None = None,
        annotations: NonEmptyStr = "annotations.csv",
        source: str = "",
        on_bad_video: OnBadVideo = "error",
        extra: Mapping[str, NonEmptyStr] | None = None,
    ) -> None:
        self.name = name
        self.root = root
        self.annotations = annotations
        self.source = source
        self.on_bad_video = on_bad_video
        self.extra = extra

    @property
    def variable(self) -> str:
        """Environment variable for the folder of the videos.

        Example:
            >>> AnnotatedVideos("kinetics-100").variable
            'FSARBENCH_KINETICS_100'
        """
        return "FSARBENCH_" + "".join(c if c.isalnum() else "_" for c in self.name).upper()

    @property
    def table(self) -> Path:
        """Path of the annotation table.

        Raises:
            UserError: The folder of the videos or the annotation table is missing.
        """
        path = expand_path(self.annotations, "dataset.annotations", self.folder)
        if not path.is_file():
            raise self._missing(f"there is no annotation table {path} (dataset.annotations)")
        return path

    @property
    def folder(self) -> Path:
        """Folder of the videos.

        Raises:
            UserError: The folder is not set or does not exist.
        """
        configured = self.root or os.environ.get(self.variable)
        if not configured:
            raise self._missing(f"neither dataset.root nor {self.variable} is set")
        root = expand_path(configured, "dataset.root")
        if not root.is_dir():
            raise self._missing(f"there is no folder {root}")
        return root

    @property
    def listed(self) -> int:
        """Videos of the annotation table, and those that `data import` did not find."""
        missing = missing_file(self.table)
        absent = missing.read_text(encoding="utf-8").split("\n") if missing.is_file() else []
        return len(self._all_rows()) + sum(bool(line.strip()) for line in absent)

    @property
    def skipped(self) -> Mapping[str, str]:
        """Reasons for the videos that are left out, by path relative to the root."""
        listed = {row["path"] for row in self._all_rows()}
        bad = skipped_reasons(self.table, self.on_bad_video)
        return {path: reason for path, reason in bad.items() if path in listed}

    def splits(self) -> dict[SplitName, Split]:
        """The three splits, in the order of the annotation table."""
        rows, root = self._rows, self.folder
        readable = {row["class"]: row["readable"] for row in rows}
        splits = {
            name: split_of(
                name,
                [
                    Entry(row["id"] or row["path"], root / row["path"], row["class"])
                    for row in rows
                    if row["split"] == name
                ],
                lambda key: readable[key] or readable_name(key),
            )
            for name in SPLITS
        }
        return with_side_files(splits, root, self.extra)

    def require_videos(self) -> None:
        """Look for the folder, the annotation table, and some of its videos.

        Raises:
            UserError: As `splits`, which looks for every video and is called if one is missing.
        """
        rows, root = read_table(self.table, ("path", "class", "split")), self.folder
        some = rows[:: max(1, len(rows) // LOOKED_FOR)]
        if not all((root / row["path"]).exists() for row in some):
            self.splits()

    def fingerprint(self) -> str:
        """Hash over the partition of video ids, by which `data import` recognises known lists."""
        videos = ((row["split"], row["class"], row["id"] or row["path"]) for row in self._rows)
        return partition_hash(grouped(videos))

    def entries(self) -> list[tuple[SplitName, str]]:
        """Split and relative path of all listed videos, including bad and missing ones.

        Raises:
            UserError: The annotation table is invalid.
        """
        return [(row.split(), row["path"]) for row in self._all_rows()]

    def _all_rows(self) -> list[Row]:
        rows = read_table(self.table, ("path", "class", "split"))
        require_one_split(rows)
        for row in rows:
            require_inside(row, "path")
            row.split()
        require_unique(rows, "path")
        require_unique([row for row in rows if row["id"]], "id")
        return rows

    @cached_property
    def _rows(self) -> list[Row]:
        # Cached: splits() and fingerprint() both need the rows, and listing the files is slow.
        table, root = self.table, self.folder
        rows = without(self._all_rows(), skipped_reasons(table, self.on_bad_video))
        require_all_splits(table, [row.split() for row in rows])
        existing = existing_paths(root, [row["path"] for row in rows])
        absent = [row["path"] for row in rows if row["path"] not in existing]
        if absent:
            raise self._missing(
                f"{len(absent)} of the {len(rows)} videos in {table} do not exist in {root}; the "
                f"first is {absent[0]}"
            )
        return rows

    def _missing(self, reason: str) -> UserError:
        source = f" Source of the videos: {self.source}." if self.source else ""
        return UserError(
            f"The videos of {self.name} are missing: {reason}.{source} Set {self.variable} or "
            f"dataset.root to the folder of the videos. It must contain {self.annotations} "
            "(first line: path,class,split), which `fsarbench data import` writes from published "
            "split lists."
        )
