"""Video files and folders of extracted frames: suffixes, change stamps and digests."""

import hashlib
import os
import re
from collections import defaultdict
from pathlib import Path

from fsarbench.errors import UserError


def stamp_of(path: Path) -> str:
    """Size and modification time of a file, or frame count and modification time of a folder.

    Raises:
        OSError: The path does not exist or cannot be accessed.
    """
    status = path.stat()
    size = len(os.listdir(path)) if path.is_dir() else status.st_size
    return f"{size} {status.st_mtime_ns}"


def digest_of(path: Path) -> str:
    """Hash over the bytes of a file, or over names and bytes of the frames in a folder.

    Raises:
        OSError: The file or folder cannot be read.
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
# A prefix and a trailing number: img_00001.jpg, frame000001.png, 000001.jpeg.
FRAME = re.compile(r"(.*?)(\d+)\.(jpe?g|png)", re.IGNORECASE)


def without_suffix(name: str) -> str:
    """File name without its video suffix; other dots belong to the name.

    Example:
        >>> without_suffix("a.b.WEBM"), without_suffix("a.b")
        ('a.b', 'a.b')
    """
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and f".{suffix.lower()}" in VIDEO_SUFFIXES else name


def frame_files(folder: Path, prefix: str | None = None) -> list[Path]:
    """Frame files of a folder in numerical order; gaps are an error.

    Args:
        folder: Folder of images such as `img_00001.jpg`.
        prefix: File name before the number; None for the only prefix in the folder, or `img_` if
            there are several (optical flow is often stored next to the frames).

    Raises:
        UserError: The folder has no frames, several prefixes, or a missing frame.
    """
    by_prefix: dict[str, dict[int, str]] = defaultdict(dict)
    for entry in os.scandir(folder):
        match = FRAME.fullmatch(entry.name)
        if match:
            by_prefix[match[1]][int(match[2])] = entry.name
    numbers = by_prefix.get(_prefix(folder, sorted(by_prefix), prefix), {})
    if not numbers:
        raise UserError(
            f"The folder {folder} has no extracted frames (such as {prefix or 'img_'}00001.jpg): "
            "extract the frames again, or remove the folder from the data set."
        )
    gaps = [number for number in range(min(numbers), max(numbers)) if number not in numbers]
    if gaps:
        raise UserError(
            f"The folder {folder} lacks frame {gaps[0]} (it has {min(numbers)} to {max(numbers)}): "
            "extract the frames again, or remove the folder from the data set."
        )
    return [folder / numbers[number] for number in sorted(numbers)]


def _prefix(folder: Path, prefixes: list[str], prefix: str | None) -> str:
    if prefix is not None:
        return prefix
    if len(prefixes) > 1 and "img_" not in prefixes:
        raise UserError(
            f"The folder {folder} has images with several prefixes ({', '.join(prefixes)}): set "
            "reader.prefix to the prefix of the frames."
        )
    return "img_" if "img_" in prefixes else (prefixes or [""])[0]
