"""Published data sets: names, split sizes, and hashes of their known split lists."""

import re
from dataclasses import dataclass

from fsarbench.errors import UserError, nearest
from fsarbench.video import SplitName

Counts = tuple[int, int, int]


@dataclass(frozen=True)
class KnownDataset:
    """A published data set and its split sizes, in the order train, val and test.

    Attributes:
        name: Short name in `fsarbench data import` and in configs.
        title: Name in papers; the names of its known lists start with it.
        classes: Number of classes per split; None if unknown.
        videos: Number of videos per split; None if unknown.
        timed: Whether ids may end in start and end seconds (`_000010_000020`), which are removed
            before ids are compared.
    """

    name: str
    title: str
    classes: Counts | None = None
    videos: Counts | None = None
    timed: bool = False

    @property
    def lists(self) -> list[str]:
        """Names of the known split lists of the data set."""
        return [name for name in KNOWN_LISTS.values() if name.startswith(self.title)]


# Names of split lists by `fsarbench.data.splits.partition_hash`.
KNOWN_LISTS = {
    "4a9933d55250be1d9c578636a98a9256e92b851c837113e4fa0338f536d4c9c7": "SSv2-Full, OTAM",
    "7ab5c9394ecac4a2dab2871e9662578c1b4000921f53c2718ab733df8918274e": "SSv2-Small, CMN",
    "affb9f8b29e7a15b8403bcdda3ce9eac30920141098819cc2356f69ff2bee123": (
        "Kinetics-100, CMN (TRX's list)"
    ),
    "01bc0e5bb3f2efe2019aa3810b28905dafbc047c564ba4b891fda4367d906eb5": (
        "Kinetics-100, CMN (CLIP-FSAR's list)"
    ),
    "2efb42249dd2d42bb978dacc2817695788fefb14c920f84b2d6da23b8897a187": "HMDB51, ARN",
    "d756fe94afa1b5304354825e16a7ad1692d3292450d14e268c186d480629b456": "UCF101, ARN",
}

KNOWN_DATASETS = (
    KnownDataset("ssv2", "SSv2-Full", (64, 12, 24), (67013, 1926, 2857)),
    KnownDataset("ssv2small", "SSv2-Small", (64, 12, 24), (6400, 1200, 2400)),
    KnownDataset("kinetics100", "Kinetics-100", (64, 12, 24), (6400, 1200, 2400), timed=True),
    KnownDataset("hmdb51", "HMDB51", (31, 10, 10), (4280, 1194, 1292)),
    KnownDataset("ucf101", "UCF101", (70, 10, 21), (9154, 1421, 2745)),
)


BY_NAME = {dataset.name: dataset for dataset in KNOWN_DATASETS}


def known_dataset(name: str) -> KnownDataset:
    """Published data set with this short name.

    Raises:
        UserError: The name is unknown.
    """
    if name not in BY_NAME:
        raise UserError(
            f"Unknown data set '{name}'.{nearest(name, [*BY_NAME, 'folder'])} For another data "
            "set, add its annotation files with --annotations."
        )
    return BY_NAME[name]


def named_dataset(name: str) -> KnownDataset:
    """Published data set with this short name, or a new one of this name.

    Raises:
        UserError: The name has other characters than letters, digits, `-` and `_`.

    Example:
        >>> named_dataset("diving48").title
        'diving48'
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise UserError(f"The name '{name}' may only have letters, digits, '-' and '_'.")
    return BY_NAME.get(name, KnownDataset(name, name))


def split_counts(names: list[SplitName]) -> Counts:
    """Count the occurrences of each of the three splits.

    Example:
        >>> split_counts(["val", "train", "val"])
        (1, 2, 0)
    """
    return names.count("train"), names.count("val"), names.count("test")
