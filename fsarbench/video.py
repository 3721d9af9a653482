"""Videos, splits, and the base classes of data sets and video readers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import Float32, UInt8

from fsarbench.arguments.signatures import Checked
from fsarbench.errors import UserError

SplitName = Literal["train", "val", "test"]


@dataclass(frozen=True)
class Video:
    """One video of a split.

    Attributes:
        id: Name inside the data set, the same on every machine.
        path: Video file, folder of frames, or file of features.
        label: Index of its class in the split.
        extra: Side files (`.npy`) by name, such as tracks.
        row: Row of a file with the features of several videos; None for a file of one video.
    """

    id: str
    path: Path
    label: int
    extra: Mapping[str, Path] = field(default_factory=dict, hash=False)
    row: int | None = None


@dataclass(frozen=True)
class Split:
    """Classes and videos of one split, in an order that is the same on every machine.

    Attributes:
        name: `train`, `val` or `test`.
        classes: Class names as spelled by the data set.
        readable: Readable class names, for prompts.
        videos: Videos of all classes.
    """

    name: SplitName
    classes: tuple[str, ...]
    readable: tuple[str, ...]
    videos: tuple[Video, ...]

    def __repr__(self) -> str:
        # Printing all videos would flood a terminal or a notebook.
        return f"Split('{self.name}', {len(self.classes)} classes, {len(self.videos):,} videos)"


class VideoDataset(Checked, ABC):
    """Video data set with disjoint train, val and test classes.

    The constructor only stores its arguments; `splits` finds (or generates) the files.

    Attributes:
        image_size: Side of the crop in pixels if neither the clip settings nor a model sets it.
        default_reader: Reader of configs without the key `reader`.
    """

    image_size: ClassVar[int] = 224
    default_reader: ClassVar[str] = "PyAVReader"

    @abstractmethod
    def splits(self) -> dict[SplitName, Split]:
        """The three splits.

        Raises:
            fsarbench.errors.UserError: Videos are missing; the message says where to get them and
                where to put them.
        """

    def require_videos(self) -> None:
        """Look whether the videos are there, in a moment; by default not at all.

        `splits` looks for every video. A run calls this method before it imports torch and builds
        the model, so it should examine the folder, the list and a few videos, and generate nothing.

        Raises:
            fsarbench.errors.UserError: As `splits`.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """Hash of video ids, classes and splits, the same on every machine."""

    @property
    def listed(self) -> int | None:
        """Videos of the published list, found or not; None if there is no list."""
        return None

    @property
    def excluded_classes(self) -> tuple[str, ...]:
        """Training and validation classes that are left out, as classes of another data set."""
        return ()

    @property
    def skipped(self) -> Mapping[str, str]:
        """Unreadable videos (path to reason) that are excluded from the episodes."""
        return {}

    @property
    def feature_info(self) -> Mapping[str, Any]:
        """How the features of the data set were computed; empty for videos, or if unknown."""
        return {}


class VideoReader(Checked, ABC):
    """Reads individual frames of a video file."""

    @abstractmethod
    def count(self, path: Path) -> int:
        """Number of frames of a video.

        Raises:
            fsarbench.errors.UserError: The file is missing or cannot be decoded.
        """

    @abstractmethod
    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        """RGB frames at the given indices, in the given order; indices may repeat.

        Raises:
            fsarbench.errors.UserError: The file is missing, cannot be decoded, or is too short.
        """

    def source(self, path: Path) -> Path:
        """File that the frames are read from; if it changes, cached features are recomputed."""
        return path


class FeatureReader(VideoReader):
    """Reads features that were computed before, in place of frames; there is no augmentation."""

    @abstractmethod
    def features(self, video: Video) -> Float32[np.ndarray, "S D"]:
        """Features of a video.

        Raises:
            fsarbench.errors.UserError: The file is missing or damaged, or the array has other axes
                or a value that is not finite.
        """

    @abstractmethod
    def shape(self, video: Video) -> tuple[int, int]:
        """Number of steps S and width D of the features of a video.

        Raises:
            fsarbench.errors.UserError: As `features`.
        """

    def count(self, path: Path) -> int:
        """Features have no frames.

        Raises:
            UserError: Always.
        """
        raise UserError(f"{path} has features and no frames, so there is nothing to decode.")

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        """Features have no frames.

        Raises:
            UserError: Always.
        """
        del indices
        raise UserError(f"{path} has features and no frames, so there is nothing to decode.")


def class_key(name: str) -> str:
    """Class name without differences of case, underscores and spaces, to compare two sources.

    Example:
        >>> class_key("Brush_Hair") == class_key(" brush  hair")
        True
    """
    return " ".join(name.replace("_", " ").lower().split())
