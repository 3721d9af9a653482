"""How videos are named: suffixes of files, and folders of extracted frames."""

import re

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
