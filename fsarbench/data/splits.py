"""Lists of videos to splits, and splits to a fingerprint."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fsarbench.interfaces import Split, SplitName, Video

SPLITS: tuple[SplitName, ...] = ("train", "val", "test")


@dataclass(frozen=True)
class Entry:
    """One video of a list: its id, its file, and the name of its class."""

    id: str
    path: Path
    class_name: str


def split_of(
    name: SplitName, entries: Iterable[Entry], readable: Callable[[str], str] = str
) -> Split:
    """A split of the entries in their order; classes come in the order of their first video.

    Args:
        name: `train`, `val` or `test`.
        entries: Its videos.
        readable: Class names as prompts want them.

    Example:
        >>> entries = [Entry("1", Path("1.mp4"), "run"), Entry("2", Path("2.mp4"), "jump")]
        >>> split_of("test", entries).classes
        ('run', 'jump')
    """
    listed = tuple(entries)
    classes = tuple(dict.fromkeys(entry.class_name for entry in listed))
    labels = {name: label for label, name in enumerate(classes)}
    videos = tuple(Video(entry.id, entry.path, labels[entry.class_name]) for entry in listed)
    return Split(name, classes, tuple(readable(name) for name in classes), videos)


def spaced(name: str) -> str:
    """A class name in words: camel case and underscores become spaces.

    Example:
        >>> spaced("ThrowDiscus"), spaced("brush_hair")
        ('throw discus', 'brush hair')
    """
    pairs = zip(name, " " + name[:-1], strict=True)
    words = "".join(f" {c}" if c.isupper() and before.islower() else c for c, before in pairs)
    return " ".join(words.replace("_", " ").split()).lower()


def fingerprint(splits: Mapping[SplitName, Split], recipe: str = "") -> str:
    """A hash over video ids, their classes and their partition; paths play no part.

    Args:
        splits: The splits.
        recipe: What else tells the data apart, for data that the project makes.
    """
    lines = sorted(
        f"{name}\t{split.classes[video.label]}\t{video.id}"
        for name, split in splits.items()
        for video in split.videos
    )
    return hashlib.sha256("\n".join([recipe, *lines]).encode()).hexdigest()
