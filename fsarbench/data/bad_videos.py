"""The list of bad videos that `fsarbench data check` writes, and how data sets leave them out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from fsarbench.data.annotation_tables import Row, read_table
from fsarbench.errors import UserError

OnBadVideo = Literal["error", "skip"]
COLUMNS = ("path", "split", "kind", "skip", "reason")


def bad_file(table: Path) -> Path:
    """Where the list is: beside the table of the data set.

    Example:
        >>> bad_file(Path("videos/ssv2.csv")).name
        'ssv2.bad.csv'
    """
    return table.with_suffix(".bad.csv")


def to_skip(table: Path, on_bad_video: OnBadVideo) -> dict[str, str]:
    """The videos to leave out and why, by their paths in the table.

    Args:
        table: The table of the data set.
        on_bad_video: `error` leaves none out, `skip` those whose cell `skip` says `yes`.

    Raises:
        UserError: Some are to be left out, and there is no list of them or it cannot be read.
    """
    if on_bad_video == "error":
        return {}
    path = bad_file(table)
    if not path.is_file():
        raise UserError(
            f"dataset.on_bad_video is 'skip', but there is no list of bad videos at {path}: run "
            "`fsarbench data check` on the data set, which writes it. With one list, episodes are "
            "the same on every machine."
        )
    rows = _rows(path)
    return {row["path"]: f"{row['kind']}: {row['reason']}" for row in rows if _skips(row)}


def without(rows: Sequence[Row], skipped: dict[str, str]) -> list[Row]:
    """The rows whose path is not skipped."""
    return [row for row in rows if row["path"] not in skipped]


def _rows(path: Path) -> list[Row]:
    # A list without a bad video has its first line alone, which other tables may not.
    if len(path.read_bytes().split()) == 1:
        return []
    return read_table(path, ("path", "kind", "skip"))


def _skips(row: Row) -> bool:
    if row["skip"] not in ("yes", "no"):
        raise UserError(f"{row.place}: skip is '{row['skip']}'; it has to be yes or no.")
    return row["skip"] == "yes"
