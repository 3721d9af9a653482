"""How videos are named: suffixes of files, and folders of extracted frames."""

import hashlib
import os
import re
from collections import defaultdict
from pathlib import Path

from fsarbench.errors import UserError


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


VIDEO_SUFFIXES = frozenset(
    {".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"}
)
# img_00001.jpg, frame000001.png, 000001.jpeg: a prefix, and a number at the end.
FRAME = re.compile(r"(.*?)(\d+)\.(jpe?g|png)", re.IGNORECASE)


def without_suffix(name: str) -> str:
    """A file's name without a suffix of videos; other dots belong to the name.

    Example:
        >>> without_suffix("a.b.WEBM"), without_suffix("a.b")
        ('a.b', 'a.b')
    """
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and f".{suffix.lower()}" in VIDEO_SUFFIXES else name


def frame_files(folder: Path, prefix: str | None = None) -> list[Path]:
    """The frames of a folder by their numbers, which must have no gap.

    Args:
        folder: A folder of pictures such as `img_00001.jpg`.
        prefix: What comes before the number; None for the only one there is, or `img_` among
            several (flow fields often lie beside the frames).

    Raises:
        UserError: There are no frames, several kinds of them, or one is missing.
    """
    kinds: dict[str, dict[int, str]] = defaultdict(dict)
    for entry in os.scandir(folder):
        match = FRAME.fullmatch(entry.name)
        if match:
            kinds[match[1]][int(match[2])] = entry.name
    numbers = kinds.get(_prefix(folder, sorted(kinds), prefix), {})
    if not numbers:
        raise UserError(
            f"The folder {folder} has no extracted frames (such as {prefix or 'img_'}00001.jpg): "
            "extract them again, or take it out of the data set."
        )
    gaps = [number for number in range(min(numbers), max(numbers)) if number not in numbers]
    if gaps:
        raise UserError(
            f"The folder {folder} lacks the frame of number {gaps[0]} (it has {min(numbers)} to "
            f"{max(numbers)}): extract it again, or take it out of the data set."
        )
    return [folder / numbers[number] for number in sorted(numbers)]


def _prefix(folder: Path, found: list[str], prefix: str | None) -> str:
    if prefix is not None:
        return prefix
    if len(found) > 1 and "img_" not in found:
        raise UserError(
            f"The folder {folder} has several kinds of pictures ({', '.join(found)}): say which "
            "are the frames with reader.prefix."
        )
    return "img_" if "img_" in found else (found or [""])[0]
