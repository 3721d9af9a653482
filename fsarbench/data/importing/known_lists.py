"""The data sets of the field: their names, their counts, and how their known lists are told."""

from dataclasses import dataclass

from fsarbench.errors import UserError, nearest
from fsarbench.video import SplitName

Counts = tuple[int, int, int]


@dataclass(frozen=True)
class Field:
    """One data set as the field splits it; the counts are train, val and test.

    Attributes:
        name: Its short name, which `fsarbench data import` and the configs use.
        title: Its name in papers, which its known lists begin with.
        classes: Classes of each split; None where nothing is known.
        videos: Videos of each split.
        timed: Ids may end in the seconds that were cut out (`_000010_000020`), which are no part of
            the video's identity.
    """

    name: str
    title: str
    classes: Counts | None = None
    videos: Counts | None = None
    timed: bool = False

    @property
    def lists(self) -> list[str]:
        """The names of its known lists."""
        return [name for name in KNOWN.values() if name.startswith(self.title)]


# By the hash of `fsarbench.data.splits.partition_hash`.
KNOWN = {
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

FIELDS = (
    Field("ssv2", "SSv2-Full", (64, 12, 24), (67013, 1926, 2857)),
    Field("ssv2small", "SSv2-Small", (64, 12, 24), (6400, 1200, 2400)),
    Field("kinetics100", "Kinetics-100", (64, 12, 24), (6400, 1200, 2400), timed=True),
    Field("hmdb51", "HMDB51", (31, 10, 10), (4280, 1194, 1292)),
    Field("ucf101", "UCF101", (70, 10, 21), (9154, 1421, 2745)),
)


def field(name: str) -> Field:
    """The data set of that short name.

    Raises:
        UserError: There is none.
    """
    found = {known.name: known for known in FIELDS}
    if name not in found:
        raise UserError(f"Unknown data set '{name}'.{nearest(name, [*found, 'folder'])}")
    return found[name]


def split_counts(names: list[SplitName]) -> Counts:
    """How often each of the three splits is named.

    Example:
        >>> split_counts(["val", "train", "val"])
        (1, 2, 0)
    """
    return names.count("train"), names.count("val"), names.count("test")
