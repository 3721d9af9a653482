"""CSV and text files written by `fsarbench data import` and `fsarbench data check`."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from fsarbench.errors import UserError
from fsarbench.runtime.atomic_files import write_with_parents


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
