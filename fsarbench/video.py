"""TODO docstring."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import UInt8

from fsarbench.arguments.signatures import Checked

SplitName = Literal["train", "val", "test"]


@dataclass(frozen=True)
class Video:
    """One video of a split.

    Attributes:
        id: Its name inside the data set, the same on every machine.
        path: The file.
        label: The index of its class in the split.
    """

    id: str
    path: Path
    label: int


@dataclass(frozen=True)
class Split:
    """The classes of one stage and their videos, in an order that is the same everywhere.

    Attributes:
        name: `train`, `val` or `test`.
        classes: Class names as the data set spells them.
        readable: The same names as prompts want them.
        videos: All videos.
    """

    name: SplitName
    classes: tuple[str, ...]
    readable: tuple[str, ...]
    videos: tuple[Video, ...]


class VideoDataset(Checked, ABC):
    """Videos split by class into train, val and test.

    Constructing one does no work beyond storing its arguments; `splits` finds (or makes) the files.

    Attributes:
        image_size: Side of the crop in pixels where neither the clip settings nor a model says.
    """

    image_size: ClassVar[int] = 224

    @abstractmethod
    def splits(self) -> dict[SplitName, Split]:
        """The three splits.

        Raises:
            fsarbench.errors.UserError: Videos are missing; it says where to get and to put them.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """A hash over video ids, their classes and their partition, the same on every machine."""

    @property
    def skipped(self) -> Mapping[str, str]:
        """Unreadable videos (path to reason), left out, if asked, before episodes are drawn."""
        return {}


class VideoReader(Checked, ABC):
    """Reads single frames of a video file."""

    @abstractmethod
    def count(self, path: Path) -> int:
        """The number of frames of a file.

        Raises:
            fsarbench.errors.UserError: The file is missing or cannot be decoded.
        """

    @abstractmethod
    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        """RGB frames at the given indices, in their order; an index may come more than once.

        Raises:
            fsarbench.errors.UserError: The file is missing, cannot be decoded, or is too short.
        """

    def source(self, path: Path) -> Path:
        """Where the frames of a video are read; if that changes, so may all computed from it."""
        return path
