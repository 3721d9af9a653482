"""Annotation tables, lists of bad videos, and other CSV files of data sets."""

import csv
import io
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from fsarbench.data.splits import SPLITS
from fsarbench.errors import UserError, nearest
from fsarbench.runtime.atomic_files import write_with_parents
from fsarbench.video import SplitName


@dataclass(frozen=True)
class Row:
    """One table row: file and line number for messages, and cells by column."""

    location: str
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def split(self) -> SplitName:
        """Split named in the column `split`.

        Raises:
            UserError: The cell names no split.
        """
        for name in SPLITS:
            if self["split"] == name:
                return name
        raise UserError(
            f"{self.location}: unknown split '{self['split']}'.{nearest(self['split'], SPLITS)}"
        )


def read_table(path: Path, columns: Iterable[str]) -> list[Row]:
    """Read the rows of a CSV file (UTF-8, comma-separated) with a header line.

    Args:
        path: CSV file.
        columns: Required columns, without empty cells; further columns are allowed.

    Raises:
        UserError: The file cannot be read, lacks a column, or has an empty cell.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="", skipinitialspace=True)
            header = [name.strip() for name in reader.fieldnames or []]
            reader.fieldnames = header
            rows = [_row(path, reader.line_num, line) for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"The table {path} cannot be read as CSV in UTF-8: {error}.") from error
    _check(path, header, rows, list(columns))
    return rows


def require_all_splits(path: Path, names: Iterable[SplitName]) -> None:
    """Raise a `UserError` if a split has no class."""
    empty = [name for name in SPLITS if name not in set(names)]
    if empty:
        raise UserError(
            f"{path}: no class is in the split {' or '.join(empty)}; all three splits need at "
            "least one class."
        )


def require_one_split(rows: Iterable[Row]) -> None:
    """Raise a `UserError` if a class is in two splits, which would leak test classes."""
    first: dict[str, Row] = {}
    for row in rows:
        before = first.setdefault(row["class"], row)
        if before["split"] != row["split"]:
            raise UserError(
                f"{row.location}: the class '{row['class']}' is in the split {row['split']}, but "
                f"in {before['split']} at {before.location}; a class belongs to one split."
            )


def require_inside(row: Row, column: str) -> None:
    """Raise a `UserError` if a cell is an absolute path or contains `..`."""
    path = PurePosixPath(row[column].replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise UserError(
            f"{row.location}: the {column} '{row[column]}' may not be absolute or contain '..'; "
            "all videos have to be inside the folder of videos."
        )


def require_unique(rows: Iterable[Row], column: str) -> None:
    """Raise a `UserError` if two rows have the same cell in a column."""
    first: dict[str, Row] = {}
    for row in rows:
        before = first.setdefault(row[column], row)
        if before is not row:
            raise UserError(
                f"{row.location}: the video {row[column]} is already listed at {before.location}; "
                "it could be both support and query of an episode. Remove one of the lines."
            )


def existing_paths(root: Path, paths: Iterable[str]) -> set[str]:
    """Existing paths among some paths relative to a folder."""
    # Each folder is listed once, because checking 70,000 files takes minutes on a network disk.
    listed = list(paths)
    folders: dict[Path, set[str]] = defaultdict(set)
    for folder in {(root / path).parent for path in listed}:
        if folder.is_dir():
            folders[folder] = {entry.name for entry in os.scandir(folder)}
    return {path for path in listed if Path(path).name in folders[(root / path).parent]}


def _row(path: Path, number: int, line: dict[str | None, str | list[str]]) -> Row:
    cells = {key: value.strip() for key, value in line.items() if key and isinstance(value, str)}
    return Row(f"{path}, line {number}", cells)


def _check(path: Path, header: list[str], rows: list[Row], columns: list[str]) -> None:
    absent = [column for column in columns if column not in header]
    if absent:
        raise UserError(
            f"{path}: the first line has to name the columns {', '.join(columns)}; "
            f"{', '.join(absent)} is missing (found: {', '.join(header) or 'nothing'})."
        )
    if not rows:
        raise UserError(f"{path}: there is no row after the header line.")
    for row in rows:
        empty = [column for column in columns if not row[column]]
        if empty:
            raise UserError(f"{row.location}: the cell of the column {empty[0]} is empty.")


def missing_file(table: Path) -> Path:
    """Path of the list of missing videos, next to the annotation table."""
    return table.with_suffix(".missing.txt")


OnBadVideo = Literal["error", "skip"]
COLUMNS = ("path", "split", "kind", "skip", "reason")


def bad_list_path(table: Path) -> Path:
    """Path of the list of bad videos, next to the annotation table.

    Example:
        >>> bad_list_path(Path("videos/ssv2.csv")).name
        'ssv2.bad.csv'
    """
    return table.with_suffix(".bad.csv")


def skipped_reasons(table: Path, on_bad_video: OnBadVideo) -> dict[str, str]:
    """Reasons for the videos that are left out, by path in the annotation table.

    Args:
        table: Annotation table or split file of the data set.
        on_bad_video: `skip` leaves out the videos with `yes` in the column `skip` of the list of
            bad videos; `error` leaves no video out.

    Raises:
        UserError: `skip` is set, and the list of bad videos is missing or cannot be read.
    """
    if on_bad_video == "error":
        return {}
    path = bad_list_path(table)
    if not path.is_file():
        raise UserError(
            f"dataset.on_bad_video is 'skip', but there is no list of bad videos at {path}: run "
            "`fsarbench data check` on the data set, which writes it. A shared list makes "
            "episodes identical on all machines."
        )
    rows = _rows(path)
    return {row["path"]: f"{row['kind']}: {row['reason']}" for row in rows if _skips(row)}


def without(rows: Sequence[Row], skipped: dict[str, str]) -> list[Row]:
    """Rows whose path is not skipped."""
    return [row for row in rows if row["path"] not in skipped]


def _rows(path: Path) -> list[Row]:
    # A list without bad videos is only a header line, which `read_table` rejects.
    if len(path.read_bytes().split()) == 1:
        return []
    return read_table(path, ("path", "kind", "skip"))


def _skips(row: Row) -> bool:
    if row["skip"] not in ("yes", "no"):
        raise UserError(f"{row.location}: skip is '{row['skip']}'; expected yes or no.")
    return row["skip"] == "yes"


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a CSV file with a header line, atomically.

    Raises:
        UserError: The file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically.

    Raises:
        UserError: The file cannot be written.
    """
    try:
        write_with_parents(path, text.encode())
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror or error}. Change the permissions, or choose "
            "another file with --out."
        ) from error
