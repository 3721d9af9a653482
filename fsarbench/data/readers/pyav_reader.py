"""Video reader based on PyAV, whose wheels contain FFmpeg."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from jaxtyping import UInt8

from fsarbench.data.readers.streams import Timeline, opened, require_frames, timeline
from fsarbench.registry import READERS
from fsarbench.video import VideoReader

Frame = UInt8[np.ndarray, "H W 3"]


@READERS.register_module()
class PyAVReader(VideoReader):
    """Reader based on PyAV (FFmpeg); the default reader.

    It returns the same frames as decoding the file from its start. If every frame has a distinct
    time stamp (MP4, MOV, Matroska, WebM), it seeks to the last key frame before a requested frame
    and compares the time stamps of all frames that it decodes. If a time stamp differs, and in all
    other files (AVI, MPEG, ...), it decodes from the first frame. It uses one thread.

    Frames are rotated according to the display matrix of the file, as video players do. Non-square
    pixels (sample aspect ratio) are not stretched. An alpha channel is dropped.
    """

    def count(self, path: Path) -> int:
        """Number of frames that can be decoded."""
        return timeline(path).count

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        """RGB frames at the given indices, in the given order."""
        frame_times = timeline(path)
        require_frames(path, indices, frame_times.count)
        if frame_times.stamps:
            with opened(path) as (container, stream):
                frames = _seek(container, stream, frame_times, sorted(set(indices)))
                if frames is not None:
                    return np.stack([frames[index] for index in indices])
        return decode_from_start(path, indices)


def decode_from_start(path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
    """RGB frames at the given indices, decoded from the first frame of the file.

    Raises:
        UserError: The file is missing, cannot be decoded, or is too short.
    """
    wanted, last = set(indices), max(indices)
    frames: dict[int, Frame] = {}
    count = 0
    with opened(path) as (container, stream):
        for frame in container.decode(stream):
            if count in wanted:
                frames[count] = to_rgb(frame)
            count += 1
            if count > last:
                break
        require_frames(path, indices, count if count <= last else last + 1)
        # Inside the block, so that an error about frames of several sizes names the file.
        return np.stack([frames[index] for index in indices])


def to_rgb(frame: Any) -> Frame:
    """RGB image of a decoded frame, rotated according to its display matrix."""
    return np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90))


def _seek(
    container: Any, stream: Any, frame_times: Timeline, indices: list[int]
) -> dict[int, Frame] | None:
    """Frames at sorted indices; None if a decoded frame does not have the expected time stamp."""
    frames: dict[int, Frame] = {}
    position, decoder = 0, iter(container.decode(stream))
    for index in indices:
        key = frame_times.key_before(index)
        if key > position:
            container.seek(frame_times.stamps[key], stream=stream)
            position, decoder = _from_key_frame(container.decode(stream), frame_times.stamps)
        frame = None
        while position <= index:
            frame = next(decoder, None)
            if frame is None or frame.pts != frame_times.stamps[position]:
                return None
            position += 1
        if frame is None:
            return None
        frames[index] = to_rgb(frame)
    return frames


def _from_key_frame(decoder: Iterator[Any], stamps: Sequence[int]) -> tuple[int, Iterator[Any]]:
    """Index of the first key frame of a decoder, and an iterator that starts with this frame.

    Frames before it are skipped, because they depend on frames that were not decoded. Key frames
    that are not intra-coded pictures (periodic intra refresh) are skipped, because they are not
    exact. Without a suitable key frame the index is past the end.
    """
    for frame in decoder:
        if frame.key_frame and frame.pict_type == av.video.frame.PictureType.I:
            index = bisect_left(stamps, frame.pts) if frame.pts is not None else len(stamps)
            return index, chain([frame], decoder)
    return len(stamps), iter(())
