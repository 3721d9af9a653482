"""The videos that two annotation tables share: a list on which two labs can be compared."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fsarbench.data.annotation_tables import Row, read_table
from fsarbench.data.splits import SPLITS
from fsarbench.errors import UserError
from fsarbench.runtime.atomic_files import write_with_parents
from fsarbench.video import SplitName


@dataclass(frozen=True)
class Shared:
    """Videos of two tables in the same split.

    Attributes:
        rows: Rows of the first table whose videos the second one has too.
        first: Videos per split of the first table.
        second: Videos per split of the second table.
        moved: Ids of videos that the tables put into different splits.
    """

    rows: tuple[Row, ...]
    first: dict[SplitName, int]
    second: dict[SplitName, int]
    moved: tuple[str, ...]

    def count(self, split: SplitName) -> int:
        """Shared videos of a split."""
        return sum(row.split() == split for row in self.rows)


def intersect(first: Path, second: Path, out: Path) -> Shared:
    """Write the rows of the first table whose videos the second one has in the same split.

    Videos are compared by the column `id`, or by file name without folder and suffix if a table
    has no ids. The rows keep the columns and paths of the first table.

    Args:
        first: Annotation table.
        second: Annotation table, of other folders for example.
        out: Annotation table to write.

    Raises:
        UserError: A table is invalid, or they share no video of a split.
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
                f"{'id' if by_id else 'file name'}; are these lists of one data set?"
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
                f"{row.location}: the video '{name}' stands twice in {path}; give the table a "
                "column id with a name of its own for each video."
            )
        splits[name] = row.split()
    return splits


def _name(row: Row, by_id: bool) -> str:
    return row["id"] if by_id else Path(row["path"]).stem


def _counts(rows: Sequence[Row]) -> dict[SplitName, int]:
    return {split: sum(row.split() == split for row in rows) for split in SPLITS}
