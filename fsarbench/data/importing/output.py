"""Writing of the tables that an import makes."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from fsarbench.errors import UserError
from fsarbench.runtime.atomic_files import write_below


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a CSV whose first line names its columns; it appears whole or not at all.

    Raises:
        UserError: It cannot be written there.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all.

    Raises:
        UserError: It cannot be written there.
    """
    try:
        write_below(path, text.encode())
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror or error}. Allow writing there, or name another "
            "file with --out."
        ) from error
