"""Lists of videos to splits, and splits to a fingerprint."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fsarbench.errors import UserError
from fsarbench.video import Split, SplitName, Video

SPLITS: tuple[SplitName, ...] = ("train", "val", "test")
# How the lists of SSv2 write a class.
NUMBERED = re.compile(r"(train|val|test)\d+")


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


def named(name: str) -> str:
    """A class name in words, empty for a class that a list has only numbered.

    Example:
        >>> named("brush_hair"), named("val3")
        ('brush hair', '')
    """
    return "" if NUMBERED.fullmatch(name) else spaced(name)


def require_names(split: Split) -> tuple[str, ...]:
    """The class names for prompts.

    Raises:
        UserError: A class has none.
    """
    nameless = [c for c, name in zip(split.classes, split.readable, strict=True) if not name]
    if nameless:
        raise UserError(
            f"{len(nameless)} classes of the {split.name} split have no name, such as "
            f"'{nameless[0]}', but the model reads class names: import the data set again with "
            "its own label file (`fsarbench data import --labels`), or fill in the column "
            "'readable' of its table."
        )
    return split.readable


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


def partition_hash(groups: Mapping[tuple[str, str], Iterable[str]]) -> str:
    """A hash over video ids and how they are divided into splits and classes, not over names.

    Two lists of the same videos have the same hash, however they spell or number the classes.

    Args:
        groups: Video ids by split and class.

    Example:
        >>> one = partition_hash({("test", "ThrowDiscus"): ["a", "b"], ("val", "run"): ["c"]})
        >>> one == partition_hash({("val", "val0"): ["c"], ("test", "test3"): ["b", "a"]})
        True
    """
    lines = []
    for (split, _), ids in groups.items():
        ordered = sorted(ids)
        lines += [f"{split}\t{ordered[0]}\t{video}" for video in ordered]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def grouped(videos: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str], list[str]]:
    """Video ids by split and class, from triples of split, class and id.

    Example:
        >>> grouped([("val", "run", "1"), ("val", "run", "2")])
        {('val', 'run'): ['1', '2']}
    """
    found: dict[tuple[str, str], list[str]] = {}
    for split, class_name, video in videos:
        found.setdefault((split, class_name), []).append(video)
    return found
