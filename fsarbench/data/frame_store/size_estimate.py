"""How many bytes a store will take, from a few of its videos."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fsarbench.data.clips import segment_frames
from fsarbench.data.frame_store.formats import as_jpeg
from fsarbench.data.frame_store.writer import StoreWriter, smaller

SAMPLE, FRAMES = 16, 3


@dataclass(frozen=True)
class SizeEstimate:
    """What is to be expected of a store.

    Attributes:
        videos: Videos that are not kept yet.
        sample: Those of them that were tried.
        bytes: What all of them will take, about.
        free: The bytes that are free where the store is to be.
    """

    videos: int
    sample: int
    bytes: int
    free: int

    @property
    def fits(self) -> bool:
        """Whether there is room."""
        return self.bytes < self.free

    def __str__(self) -> str:
        return (
            f"{self.videos:,} videos, about {human(self.bytes)} (from {self.sample} of them); "
            f"{human(self.free)} are free"
        )


def estimate_size(keeper: StoreWriter, paths: Sequence[str]) -> SizeEstimate:
    """Weighs a few frames of a few videos, evenly spread over the list.

    Args:
        keeper: How they would be kept.
        paths: All videos that are not kept yet.
    """
    count = min(SAMPLE, len(paths))
    picked = [keeper.root / paths[len(paths) * number // count] for number in range(count)]
    sizes = [size for path in picked if (size := _weight(keeper, path)) is not None]
    mean = sum(sizes) / len(sizes) if sizes else 0.0
    free = shutil.disk_usage(keeper.store).free
    return SizeEstimate(len(paths), len(sizes), round(mean * len(paths)), free)


def _weight(keeper: StoreWriter, path: Path) -> float | None:
    # What cannot be decoded is reported when its turn comes.
    settings = keeper.settings
    try:
        count = keeper.reader.count(path)
        frames = keeper.reader.read(path, segment_frames(count, FRAMES))
    except Exception:
        return None
    small = [smaller(frame, settings.size) for frame in frames]
    sizes = [frame.nbytes if settings.format == "raw" else len(as_jpeg(frame)) for frame in small]
    return count * sum(sizes) / len(sizes)


def human(size: int) -> str:
    """Bytes in the unit that suits them.

    Example:
        >>> human(999), human(1_128_400_000_000)
        ('999 B', '1.13 TB')
    """
    shown = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if shown < 1000:
            return f"{shown:.3g} {unit}"
        shown /= 1000
    return f"{shown:.3g} TB"
