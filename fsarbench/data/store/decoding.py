"""All frames of a video, one after the other, with a short side of at most so many pixels."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from fsarbench.data.clips import as_bytes, shortened
from fsarbench.video import VideoReader

# Bytes of whole frames that are held at once. A long film of large frames is read in several goes.
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
