"""Video reader based on decord."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.data.readers.streams import (
    PROGRESSIVE,
    opened,
    require_file,
    require_frames,
    timeline,
    undecodable,
)
from fsarbench.data.video_files import stamp_of
from fsarbench.errors import UserError
from fsarbench.registry import READERS
from fsarbench.video import VideoReader

# Formats whose frames are bit-identical to those of FFmpeg, measured by
# `benchmarks/reader_sweep.py`.
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
    """Reader based on decord, for files whose frames it decodes exactly as FFmpeg does.

    It decodes every file from its first frame. It never seeks, because decord seeks to wrong frames
    in files without time stamps (AVI) and in open groups of pictures. Frames are rotated according
    to the display matrix of the file, as video players do.

    decord contains an FFmpeg of 2021. Containers, codecs and pixel formats that it does not support
    or converts to different colours (palettes, 10 bits, interlaced video, ...) are rejected;
    `PyAVReader` reads them.

    Args:
        threads: Decoding threads per file. More DataLoader workers are faster than more threads.
    """

    def __init__(self, threads: PositiveInt = 1) -> None:
        self.threads = threads

    def count(self, path: Path) -> int:
        """Number of frames that can be decoded."""
        self._open(path)
        return timeline(path).count

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        """RGB frames at the given indices, in the given order."""
        video = self._open(path)
        require_frames(path, indices, timeline(path).count)
        wanted = set(indices)
        frames: dict[int, np.ndarray] = {}
        for index in range(max(indices) + 1):
            frame = _next(path, video, index)
            if index in wanted:
                frames[index] = _without_padding(frame.asnumpy())
        return np.stack([frames[index] for index in indices])

    def _open(self, path: Path) -> Any:
        require_file(path)
        decord = _decord()
        count = timeline(path).count
        if reason := _unsupported(path, stamp_of(path)):
            raise rejected(path, reason)
        try:
            video = decord.VideoReader(str(path), num_threads=self.threads)
        except (RuntimeError, decord.DECORDError) as error:
            raise rejected(path, _reason(error)) from error
        # More frames are no error: decord repeats the last frame for packets without a frame.
        if len(video) < count:
            raise rejected(path, f"it finds {len(video)} of {count} frames")
        return video


def rejected(path: Path, reason: str) -> UserError:
    """Error for a file that FFmpeg decodes, but that decord does not decode exactly."""
    return UserError(
        f"DecordReader cannot read the video {path} exactly ({reason}): use "
        "reader.type='PyAVReader'."
    )


@lru_cache(maxsize=1 << 17)
def _unsupported(path: Path, stamp: str) -> str:
    """Property of the file that decord does not decode exactly; empty if there is none.

    `stamp` is the change stamp of the file: the cache forgets a file that changed.
    """
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
            f"DecordReader needs the package decord, which cannot be imported ({error}): "
            "install it, or use reader.type='PyAVReader'."
        ) from error
    # FFmpeg's log messages do not name the damaged file; the errors of this module do.
    decord.logging.set_level(decord.logging.QUIET)
    return decord


def _without_padding(frame: np.ndarray) -> UInt8[np.ndarray, "H W 3"]:
    # decord returns more than three channels if the rows of an image are padded.
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
    # Messages of decord start with a time and a source line, or repeat the path.
    text = str(error).partition("ERROR ")[2] or str(error) or "it ends early"
    return "not a readable video" if text.startswith("Error reading") else text
