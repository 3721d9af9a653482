"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to; it takes its name once the `with` block is through.

    A reader sees the old file or the new one, and a failed write leaves nothing.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield aside
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def write_whole(path: Path, data: bytes) -> None:
    """Write bytes into a folder that is there."""
    with whole(path) as aside:
        aside.write_bytes(data)


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes, and make the folder where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)


def write_text(path: Path, text: str) -> None:
    """Write text, and make the folder where it is missing."""
    write_bytes(path, text.encode())
