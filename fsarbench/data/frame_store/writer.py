"""One video decoded and kept; this runs in the processes of `fsarbench data cache`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from fsarbench.data.clips import as_bytes, shortened
from fsarbench.data.frame_store.formats import write_frames
from fsarbench.data.frame_store.index import Stored, StoreSettings, frames_file
from fsarbench.data.video_files import digest_of, stamp_of
from fsarbench.errors import UserError
from fsarbench.video import VideoReader

# Bytes of whole frames that are held at once. A long video of large frames is read in several goes.
HELD = 256 * 2**20


def all_frames(
    reader: VideoReader, path: Path, count: int, size: int | None
) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    """The frames of a video in their order, resized as clips are.

    Args:
        reader: Who decodes.
        path: The video.
        count: Its frames.
        size: The short side in pixels; smaller frames are left as they are, and with None all.

    Raises:
        UserError: The video cannot be decoded.
    """
    start, block = 0, 1
    while start < count:
        frames = reader.read(path, range(start, min(start + block, count)))
        yield from (smaller(frame, size) for frame in frames)
        start += len(frames)
        block = max(1, HELD // frames[0].nbytes)


def smaller(frame: UInt8[np.ndarray, "H W 3"], size: int | None) -> UInt8[np.ndarray, "h w 3"]:
    """A frame whose short side is at most `size` pixels."""
    if size is None or min(frame.shape[:2]) <= size:
        return frame
    image = torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None]
    return as_bytes(shortened(image, size))[0].permute(1, 2, 0).numpy()


@dataclass(frozen=True)
class Failed:
    """Why a video is not kept.

    Attributes:
        reason: In words.
        disk: Whether the store cannot be written, so that going on makes no sense.
    """

    reason: str
    disk: bool = False


@dataclass(frozen=True)
class StoreWriter:
    """Keeps videos; it can be sent to another process.

    Attributes:
        reader: Who decodes.
        root: The folder of the videos.
        store: The folder of the store.
        settings: How frames are kept.
    """

    reader: VideoReader
    root: Path
    store: Path
    settings: StoreSettings

    def __call__(self, path: str) -> Stored | Failed:
        """Keep the video at `path` below the root; whatever goes wrong comes back as a reason."""
        try:
            return self._kept(path)
        except OSError as error:
            reason = f"cannot write {error.filename or self.store}: {error.strerror or error}"
            return Failed(reason, disk=True)
        except Exception as error:  # whatever a damaged file makes a decoder raise
            text = str(error) or type(error).__name__
            return Failed(text if isinstance(error, UserError) else f"{self.root / path}: {text}")

    def _kept(self, path: str) -> Stored:
        video, settings = self.root / path, self.settings
        count = self.reader.count(video)
        stamp, digest = stamp_of(video), digest_of(video)
        file = frames_file(self.store, settings, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        frames = all_frames(self.reader, video, count, settings.size)
        return Stored(
            path, count, write_frames(file, settings.format, count, frames), stamp, digest
        )
