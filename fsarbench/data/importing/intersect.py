"""Intersection of two annotation tables, for comparable results on incomplete data sets."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fsarbench.data.annotation_tables import Row, read_table
from fsarbench.data.splits import SPLITS
from fsarbench.data.video_files import without_suffix
from fsarbench.errors import UserError
from fsarbench.runtime.atomic_files import write_with_parents
from fsarbench.video import SplitName


@dataclass(frozen=True)
class Shared:
    """Videos that two tables have in the same split.

    Attributes:
        rows: Rows of the first table whose videos are also in the second table.
        first: Number of videos per split in the first table.
        second: Number of videos per split in the second table.
        moved: Ids of videos that are in different splits of the two tables.
    """

    rows: tuple[Row, ...]
    first: dict[SplitName, int]
    second: dict[SplitName, int]
    moved: tuple[str, ...]

    def count(self, split: SplitName) -> int:
        """Number of shared videos in a split."""
        return sum(row.split() == split for row in self.rows)


def intersect(first: Path, second: Path, out: Path) -> Shared:
    """Write the rows of the first table whose videos are in the same split of the second table.

    Videos are compared by the column `id`, or by file name without folder and suffix if a table
    has no ids. The rows keep the columns and paths of the first table.

    Args:
        first: Annotation table.
        second: Annotation table; its paths may differ.
        out: Annotation table to write.

    Raises:
        UserError: A table is invalid, or a split has no shared video.
    """
    tables = [read_table(path, ("path", "class", "split")) for path in (first, second)]
    by_id = all(row["id"] for rows in tables for row in rows)
    splits = [
        _splits(rows, path, by_id) for rows, path in zip(tables, (first, second), strict=True)
    ]
    rows = tuple(row for row in tables[0] if splits[1].get(_name(row, by_id)) == row.split())
    moved = tuple(n for n, split in splits[0].items() if splits[1].get(n, split) != split)
    shared = Shared(rows, _counts(tables[0]), _counts(tables[1]), moved)
    for split in SPLITS:
        if not shared.count(split):
            raise UserError(
                f"{first} and {second} share no {split} video. Videos are compared by "
                f"{'id' if by_id else 'file name'}. Give two tables of the same data set."
            )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = list(tables[0][0].cells)
    writer.writerow(columns)
    writer.writerows([row[column] for column in columns] for row in rows)
    write_with_parents(out, text.getvalue().encode())
    return shared


def _splits(rows: Sequence[Row], path: Path, by_id: bool) -> dict[str, SplitName]:
    splits: dict[str, SplitName] = {}
    for row in rows:
        name = _name(row, by_id)
        if name in splits:
            raise UserError(
                f"{row.location}: the video '{name}' occurs twice in {path}. Add a column 'id' "
                "with a different id for each video."
            )
        splits[name] = row.split()
    return splits


def _name(row: Row, by_id: bool) -> str:
    return row["id"] if by_id else without_suffix(Path(row["path"]).name)


def _counts(rows: Sequence[Row]) -> dict[SplitName, int]:
    return {split: sum(row.split() == split for row in rows) for split in SPLITS}
