"""By what a video is known again: cheaply by its size and time of change, surely by its bytes."""

import hashlib
import os
from pathlib import Path


def stamp_of(path: Path) -> str:
    """What changes whenever the content of a file, or the frames of a folder, may have changed.

    Raises:
        OSError: There is nothing that can be looked at.
    """
    status = path.stat()
    size = len(os.listdir(path)) if path.is_dir() else status.st_size
    return f"{size} {status.st_mtime_ns}"


def digest_of(path: Path) -> str:
    """A hash over the bytes of a file, or of the frames of a folder with their names.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    if path.is_dir():
        for file in sorted(path.iterdir()):
            digest.update(f"{file.name}\n".encode())
            _add(digest, file)
    else:
        _add(digest, path)
    return digest.hexdigest()


def _add(digest: "hashlib.blake2b", file: Path) -> None:
    with file.open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
