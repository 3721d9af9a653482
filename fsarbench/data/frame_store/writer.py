"""Writer of a frame store: decodes one video per call, in the processes of `data cache`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from fsarbench.data.clips import resize_short_side, to_uint8
from fsarbench.data.frame_store.formats import write_frames
from fsarbench.data.frame_store.index import Stored, StoreSettings, frames_file
from fsarbench.data.video_files import digest_of, stamp_of
from fsarbench.errors import UserError
from fsarbench.video import VideoReader

# Maximum memory for decoded frames in bytes; longer videos are decoded in several blocks.
MAX_BYTES = 256 * 2**20


def all_frames(
    reader: VideoReader, path: Path, count: int, size: int | None
) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    """Yield all frames of a video in order, downscaled with the resizing of clips.

    Args:
        reader: Video reader.
        path: Video file.
        count: Number of frames.
        size: Maximum short side in pixels; None for no resizing.

    Raises:
        UserError: The video cannot be decoded.
    """
    start, block = 0, 1
    while start < count:
        frames = reader.read(path, range(start, min(start + block, count)))
        yield from (downscaled(frame, size) for frame in frames)
        start += len(frames)
        block = max(1, MAX_BYTES // frames[0].nbytes)


def downscaled(frame: UInt8[np.ndarray, "H W 3"], size: int | None) -> UInt8[np.ndarray, "h w 3"]:
    """Frame with a short side of at most `size` pixels; smaller frames are unchanged."""
    if size is None or min(frame.shape[:2]) <= size:
        return frame
    image = torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None]
    return to_uint8(resize_short_side(image, size))[0].permute(1, 2, 0).numpy()


@dataclass(frozen=True)
class Failed:
    """Reason why a video was not stored.

    Attributes:
        reason: Human-readable reason.
        disk: Whether the store cannot be written, so that all further videos would fail as well.
    """

    reason: str
    disk: bool = False


@dataclass(frozen=True)
class StoreWriter:
    """Writer of a frame store; it can be pickled.

    Attributes:
        reader: Video reader.
        root: Folder of the videos.
        store: Folder of the store.
        settings: Size and format of the stored frames.
    """

    reader: VideoReader
    root: Path
    store: Path
    settings: StoreSettings

    def __call__(self, path: str) -> Stored | Failed:
        """Store the video with this path relative to `root`; errors are returned, not raised."""
        try:
            return self._store(path)
        except OSError as error:
            reason = f"cannot write {error.filename or self.store}: {error.strerror or error}"
            return Failed(reason, disk=True)
        except Exception as error:  # a decoder may raise anything for a damaged file
            text = str(error) or type(error).__name__
            return Failed(text if isinstance(error, UserError) else f"{self.root / path}: {text}")

    def _store(self, path: str) -> Stored:
        video, settings = self.root / path, self.settings
        count = self.reader.count(video)
        stamp, digest = stamp_of(video), digest_of(video)
        file = frames_file(self.store, settings, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        frames = all_frames(self.reader, video, count, settings.size)
        size = write_frames(file, settings.format, count, frames)
        return Stored(path, count, size, stamp, digest)
