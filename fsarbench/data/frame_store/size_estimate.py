"""Size estimate of a frame store from a sample of its videos."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fsarbench.data.clips import segment_frames
from fsarbench.data.frame_store.formats import encode_jpeg
from fsarbench.data.frame_store.writer import StoreWriter, downscaled

# Videos in the sample, and frames per video.
SAMPLE, FRAMES = 16, 3


@dataclass(frozen=True)
class SizeEstimate:
    """Estimated size of the videos that are not stored yet.

    Attributes:
        videos: Number of videos that are not stored yet.
        sample: Number of videos in the sample.
        bytes: Estimated size of all of these videos.
        free: Free bytes on the disk of the store.
    """

    videos: int
    sample: int
    bytes: int
    free: int

    @property
    def fits(self) -> bool:
        """Whether the videos fit on the disk."""
        return self.bytes < self.free

    def __str__(self) -> str:
        return (
            f"{self.videos:,} videos, about {readable_size(self.bytes)} (estimated from "
            f"{self.sample} of them); {readable_size(self.free)} are free"
        )


def estimate_size(writer: StoreWriter, paths: Sequence[str]) -> SizeEstimate:
    """Estimate the size of a store from a few frames of a few videos, spread over the list.

    Args:
        writer: Writer of the store.
        paths: Videos that are not stored yet.
    """
    count = min(SAMPLE, len(paths))
    sample = [writer.root / paths[len(paths) * number // count] for number in range(count)]
    sizes = [size for path in sample if (size := _estimated_bytes(writer, path)) is not None]
    mean = sum(sizes) / len(sizes) if sizes else 0.0
    free = shutil.disk_usage(writer.store).free
    return SizeEstimate(len(paths), len(sizes), round(mean * len(paths)), free)


def _estimated_bytes(writer: StoreWriter, path: Path) -> float | None:
    settings = writer.settings
    try:
        count = writer.reader.count(path)
        frames = writer.reader.read(path, segment_frames(count, FRAMES))
    except Exception:  # reported later, when the video is to be stored
        return None
    stored = [downscaled(frame, settings.size) for frame in frames]
    raw = settings.format == "raw"
    sizes = [frame.nbytes if raw else len(encode_jpeg(frame)) for frame in stored]
    return count * sum(sizes) / len(sizes)


def readable_size(size: int) -> str:
    """Size in bytes as text, in a suitable unit.

    Example:
        >>> readable_size(999), readable_size(1_128_400_000_000)
        ('999 B', '1.13 TB')
    """
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"
