"""Construction of splits from lists of videos, and their fingerprints."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fsarbench.errors import UserError
from fsarbench.video import Split, SplitName, Video

SPLITS: tuple[SplitName, ...] = ("train", "val", "test")
# Anonymous class labels in the lists of SSv2.
NUMBERED = re.compile(r"(train|val|test)\d+")


@dataclass(frozen=True)
class Entry:
    """Id, file and class name of one listed video, and its row in a file of several videos."""

    id: str
    path: Path
    class_name: str
    row: int | None = None


def split_of(
    name: SplitName, entries: Iterable[Entry], readable: Callable[[str], str] = str
) -> Split:
    """Build a split; classes are in the order of their first video.

    Args:
        name: `train`, `val` or `test`.
        entries: Videos of the split.
        readable: Function from class names to names for prompts.

    Example:
        >>> entries = [Entry("1", Path("1.mp4"), "run"), Entry("2", Path("2.mp4"), "jump")]
        >>> split_of("test", entries).classes
        ('run', 'jump')
    """
    listed = tuple(entries)
    classes = tuple(dict.fromkeys(entry.class_name for entry in listed))
    labels = {name: label for label, name in enumerate(classes)}
    videos = tuple(
        Video(entry.id, entry.path, labels[entry.class_name], row=entry.row) for entry in listed
    )
    return Split(name, classes, tuple(readable(name) for name in classes), videos)


def spaced(name: str) -> str:
    """Split a class name in camel case or with underscores into words.

    Example:
        >>> spaced("ThrowDiscus"), spaced("brush_hair")
        ('throw discus', 'brush hair')
    """
    pairs = zip(name, " " + name[:-1], strict=True)
    words = "".join(f" {c}" if c.isupper() and before.islower() else c for c, before in pairs)
    return " ".join(words.replace("_", " ").split()).lower()


def readable_name(name: str) -> str:
    """Class name in words; empty for anonymous labels such as `val3`.

    Example:
        >>> readable_name("brush_hair"), readable_name("val3")
        ('brush hair', '')
    """
    return "" if NUMBERED.fullmatch(name) else spaced(name)


def require_names(split: Split) -> tuple[str, ...]:
    """Class names for prompts.

    Raises:
        UserError: A class has no readable name.
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
    """Hash over video ids, classes and splits; independent of paths.

    Args:
        splits: Splits of the data set.
        recipe: Hash of the generating recipe, for built-in data sets.
    """
    lines = sorted(
        f"{name}\t{split.classes[video.label]}\t{video.id}"
        for name, split in splits.items()
        for video in split.videos
    )
    return hashlib.sha256("\n".join([recipe, *lines]).encode()).hexdigest()


def partition_hash(groups: Mapping[tuple[str, str], Iterable[str]]) -> str:
    """Hash over the partition of video ids into splits and classes, independent of class names.

    Two lists of the same videos have the same hash even if they spell or number classes
    differently.

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
    """Group triples of split, class and video id by split and class.

    Example:
        >>> grouped([("val", "run", "1"), ("val", "run", "2")])
        {('val', 'run'): ['1', '2']}
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for split, class_name, video in videos:
        groups.setdefault((split, class_name), []).append(video)
    return groups
