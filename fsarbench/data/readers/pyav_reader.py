"""Frames by PyAV, with FFmpeg inside its wheels."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from jaxtyping import UInt8

from fsarbench.data.readers.faults import require_frames
from fsarbench.data.readers.streams import Timeline, opened, timeline
from fsarbench.registry import READERS
from fsarbench.video import VideoReader

Frame = UInt8[np.ndarray, "H W 3"]


@READERS.register_module()
class PyAVReader(VideoReader):
    """Reads with PyAV (FFmpeg); the default reader.

    The frames are those of decoding from the first one on. Where each frame has a time stamp of its
    own (MP4, MOV, Matroska, WebM), decoding starts at the last key frame before a wanted frame, and
    every time stamp on the way is compared; where one is not as expected, and in all other files
    (AVI, MPEG, ...), decoding starts at the first frame. It uses one thread.

    Frames are turned as the display matrix of the file says, as players show them. Pixels stay as
    they are stored: other shapes than squares (sample aspect ratio) are not stretched. An alpha
    channel is dropped.
    """

    def count(self, path: Path) -> int:
        """The number of frames of a file that can be decoded."""
        return timeline(path).count

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        """RGB frames at the given indices, in their order."""
        known = timeline(path)
        require_frames(path, indices, known.count)
        if known.stamps:
            with opened(path) as (container, stream):
                frames = _seek(container, stream, known, sorted(set(indices)))
                if frames is not None:
                    return np.stack([frames[index] for index in indices])
        return decode_from_start(path, indices)


def decode_from_start(path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
    """RGB frames at the given indices, decoded from the first frame of the file on.

    Raises:
        UserError: The file is missing, cannot be decoded, or is too short.
    """
    wanted, last = set(indices), max(indices)
    frames: dict[int, Frame] = {}
    count = 0
    with opened(path) as (container, stream):
        for frame in container.decode(stream):
            if count in wanted:
                frames[count] = picture(frame)
            count += 1
            if count > last:
                break
        require_frames(path, indices, count if count <= last else last + 1)
        # Inside: pictures of several sizes in one video are a fault of the file, too.
        return np.stack([frames[index] for index in indices])


def picture(frame: Any) -> Frame:
    """A decoded frame as RGB, turned as its display matrix says."""
    return np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90))


def _seek(
    container: Any, stream: Any, known: Timeline, indices: list[int]
) -> dict[int, Frame] | None:
    """The frames at rising indices; None where a decoded frame is not the expected one."""
    frames: dict[int, Frame] = {}
    position, decoder = 0, iter(container.decode(stream))
    for index in indices:
        key = known.key_before(index)
        if key > position:
            container.seek(known.stamps[key], stream=stream)
            position, decoder = _from_key(container.decode(stream), known.stamps)
        frame = None
        while position <= index:
            frame = next(decoder, None)
            if frame is None or frame.pts != known.stamps[position]:
                return None
            position += 1
        if frame is None:
            return None
        frames[index] = picture(frame)
    return frames


def _from_key(decoder: Iterator[Any], stamps: Sequence[int]) -> tuple[int, Iterator[Any]]:
    """The index of the first key frame that a decoder gives, and the frames from there on.

    Frames before it depend on others, and a key frame that is no picture of its own (periodic intra
    refresh) is not exact: without another one the index is past the end.
    """
    for frame in decoder:
        if frame.key_frame and frame.pict_type == av.video.frame.PictureType.I:
            index = bisect_left(stamps, frame.pts) if frame.pts is not None else len(stamps)
            return index, chain([frame], decoder)
    return len(stamps), iter(())
