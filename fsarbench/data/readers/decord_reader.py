"""Frames by decord."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.data.readers.faults import require_file, require_frames, undecodable
from fsarbench.data.readers.streams import PROGRESSIVE, opened, timeline
from fsarbench.data.video_files import stamp_of
from fsarbench.errors import UserError
from fsarbench.registry import READERS
from fsarbench.video import VideoReader

# What `benchmarks/reader_sweep.py` found equal to the frames of FFmpeg, bit for bit.
CONTAINERS = ("mov,", "matroska", "avi", "asf")
CODECS = frozenset(
    [
        "flv1",
        "h263",
        "h264",
        "hevc",
        "huffyuv",
        "ffv1",
        "mjpeg",
        "mpeg1video",
        "mpeg2video",
        "mpeg4",
        "msmpeg4",
        "msmpeg4v2",
        "qtrle",
        "vp8",
        "vp9",
        "wmv1",
        "wmv2",
    ]
)
PIXELS = frozenset(
    [
        "argb",
        "bgr0",
        "bgr24",
        "bgra",
        "gbrp",
        "rgb24",
        "yuv420p",
        "yuv422p",
        "yuv444p",
        "yuvj420p",
        "yuvj422p",
        "yuvj444p",
    ]
)


@READERS.register_module()
class DecordReader(VideoReader):
    """Reads with decord, in files where its frames are those of FFmpeg.

    Frames are decoded from the first one on, never by seeking: decord's seeking lands on wrong
    frames in files without time stamps (AVI) and in open groups of pictures. Frames are turned as
    the file's display matrix says, as players show them.

    decord's FFmpeg is of 2021. Containers, codecs and pixel formats that it does not know or
    converts to other colours (palettes, 10 bits, interlaced video, ...) are refused; `PyAVReader`
    reads them.

    Args:
        threads: Decoding threads of one file; DataLoader workers serve better than more of these.
    """

    def __init__(self, threads: PositiveInt = 1) -> None:
        self.threads = threads

    def count(self, path: Path) -> int:
        """The number of frames of a file that can be decoded."""
        self._open(path)
        return timeline(path).count

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        """RGB frames at the given indices, in their order."""
        video = self._open(path)
        require_frames(path, indices, timeline(path).count)
        wanted = set(indices)
        frames: dict[int, np.ndarray] = {}
        for index in range(max(indices) + 1):
            frame = _next(path, video, index)
            if index in wanted:
                frames[index] = _picture(frame.asnumpy())
        return np.stack([frames[index] for index in indices])

    def _open(self, path: Path) -> Any:
        require_file(path)
        decord = _decord()
        count = timeline(path).count
        if reason := _inexact(path, stamp_of(path)):
            raise refused(path, reason)
        try:
            video = decord.VideoReader(str(path), num_threads=self.threads)
        except (RuntimeError, decord.DECORDError) as error:
            raise refused(path, _reason(error)) from error
        # decord repeats the last frame where packets hold none; fewer frames are another matter.
        if len(video) < count:
            raise refused(path, f"it finds {len(video)} of {count} frames")
        return video


def refused(path: Path, reason: str) -> UserError:
    """The error on a file that FFmpeg decodes, and decord does not, or to other frames."""
    return UserError(
        f"DecordReader cannot read the video {path} exactly ({reason}): use "
        "reader.type='PyAVReader'."
    )


@lru_cache(maxsize=1 << 17)
def _inexact(path: Path, stamp: str) -> str:
    """Why decord's frames are not those of FFmpeg; empty where they are."""
    with opened(path) as (container, stream):
        codec = stream.codec_context
        if not container.format.name.startswith(CONTAINERS):
            return f"container {container.format.name}"
        if codec.name not in CODECS:
            return f"codec {codec.name}"
        if codec.pix_fmt not in PIXELS:
            return f"pixel format {codec.pix_fmt}"
        if len(container.streams.video) > 1:
            return "several video streams"
        first = next(iter(container.decode(stream)), None)
        if codec.field_order not in PROGRESSIVE or (first and first.interlaced_frame):
            return "interlaced"
    return ""


def _decord() -> Any:
    try:
        import decord
    except (ImportError, OSError) as error:
        raise UserError(
            f"DecordReader needs the package decord, which cannot be imported here ({error}): "
            "install it, or use reader.type='PyAVReader'."
        ) from error
    # FFmpeg's own complaints about a damaged file come without its name; ours have it.
    decord.logging.set_level(decord.logging.QUIET)
    return decord


def _picture(frame: np.ndarray) -> UInt8[np.ndarray, "H W 3"]:
    # Lines that end in padding of a multiple of the width come as more than three channels.
    height, width, channels = frame.shape
    if channels == 3:
        return frame
    return frame.reshape(height, -1)[:, : 3 * width].reshape(height, width, 3)


def _next(path: Path, video: Any, index: int) -> Any:
    try:
        return video.next()
    except (RuntimeError, StopIteration, _decord().DECORDError) as error:
        raise undecodable(path, f"frame {index}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    # decord's own messages start with a time and a line of its source, or say the path again.
    text = str(error).partition("ERROR ")[2] or str(error) or "it ends early"
    return "not a readable video" if text.startswith("Error reading") else text
