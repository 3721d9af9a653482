"""Examination of one video: decode all of its frames, and compare their number with the header.

The processes that run this module are killed and restarted when a file blocks them. It therefore
imports little.
"""

import hashlib
from pathlib import Path
from typing import Any

import av
from PIL import Image

from fsarbench.data.checking.journal import Facts, Kind
from fsarbench.data.readers.streams import best_stream
from fsarbench.data.video_files import frame_files, stamp_of
from fsarbench.errors import UserError


def examine_frames(folder: Path, stamp: str) -> Facts:
    """Facts of a folder of extracted frames.

    Args:
        folder: Folder of frames.
        stamp: Change stamp of the folder (`fsarbench.data.video_files.stamp_of`).
    """
    try:
        files = frame_files(folder)
    except (UserError, OSError) as error:
        return Facts(stamp, kind="unreadable", reason=str(error))
    digest = hashlib.blake2b(digest_size=16)
    for number, file in enumerate(files):
        try:
            with Image.open(file) as picture:
                digest.update(repr(picture.size).encode() + picture.convert("L").tobytes())
        except (OSError, ValueError, SyntaxError) as error:
            return Facts(stamp, number, kind="unreadable", reason=f"{file.name}: {error}")
    return Facts(stamp, len(files), digest=digest.hexdigest())


# A video counts as complete if it reaches this share of the duration in its header, with a
# tolerance in seconds: the duration of the last frame is often unknown.
COMPLETE_SHARE, TOLERANCE = 0.9, 0.2


def examine(path: Path) -> Facts:
    """Facts of a video file or of a folder of frames.

    Example:
        >>> examine(Path("no-such.mp4")).kind
        'missing'
    """
    try:
        stamp = stamp_of(path)
    except PermissionError as error:
        return Facts(kind="unreadable", reason=_first_line(error))
    except OSError as error:
        return Facts(kind="missing", reason=_first_line(error))
    if path.is_dir():
        return examine_frames(path, stamp)
    if not path.is_file():
        return Facts(kind="unreadable", reason="not a regular file")
    if path.stat().st_size == 0:
        return Facts(stamp, kind="unreadable", reason="the file is empty (0 bytes)")
    return _examine_video(path, stamp)


def _examine_video(path: Path, stamp: str) -> Facts:
    try:
        with av.open(str(path)) as container:
            stream = best_stream(container)
            if stream is None:
                return Facts(stamp, kind="unreadable", reason="no video stream")
            if stream.codec_context is None:
                return Facts(stamp, kind="unreadable", reason="PyAV has no decoder for its codec")
            return _decode_all(container, stream, stamp, _missing_bytes(path))
    except (av.FFmpegError, OSError, ValueError) as error:
        return Facts(stamp, kind="unreadable", reason=_first_line(error))


class _Counter:
    """Counts of the packets and frames decoded so far, and the end time of the last packet.

    Packets of one byte hold no frame. XviD and DivX write them where an earlier packet holds two
    frames, and after the first packet of many files.

    Args:
        stream: The video stream; packets of other streams only extend the end time.
    """

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.packets = self.frames = self.placeholders = 0
        self.end = 0.0
        self.digest = hashlib.blake2b(digest_size=16)

    def add(self, packet: Any) -> None:
        if packet.pts is not None and packet.size:
            end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            self.end = max(self.end, end)
        # The empty packets at the end flush the last frames; they have a stream but no time.
        if packet.stream.index != self.stream.index:
            return
        self.packets += bool(packet.size)
        self.placeholders += packet.size == 1
        for frame in packet.decode():
            self.digest.update(f"{frame.width}x{frame.height}".encode())
            self.digest.update(frame.to_ndarray(format="gray").tobytes())
            self.frames += 1

    @property
    def header(self) -> int:
        """Number of frames in the header, without packets that hold no frame if it counts them."""
        declared = int(self.stream.frames)
        return self.frames if declared == self.frames + self.placeholders else declared


def _missing_bytes(path: Path) -> str:
    # An AVI file starts with its own size. FFmpeg reads a truncated AVI without an error.
    with path.open("rb") as file:
        start = file.read(8)
    size, declared = path.stat().st_size, int.from_bytes(start[4:], "little") + 8
    truncated = start[:4] == b"RIFF" and size < declared
    return f": it has {size:,} of {declared:,} bytes" if truncated else ""


def _decode_all(container: Any, stream: Any, stamp: str, fault: str) -> Facts:
    stream.thread_count = 1
    counter = _Counter(stream)
    try:
        for packet in container.demux():
            counter.add(packet)
    except (av.FFmpegError, OSError, ValueError) as error:
        fault = f": {_first_line(error)}"
    expected = stream.frames or counter.packets
    if not counter.frames and not expected:
        return Facts(stamp, kind="unreadable", reason="no frames")
    digest = counter.digest.hexdigest() if counter.frames else ""
    reason = _truncation(container, counter, expected, fault)
    kind: Kind = "truncated" if reason else ""
    return Facts(stamp, counter.frames, counter.header, digest, kind, reason)


def _truncation(container: Any, counter: _Counter, expected: int, fault: str) -> str:
    if fault or counter.frames == 0 or counter.packets < _indexed(container, counter.stream):
        return f"{counter.frames} of {expected} frames can be decoded{fault}"
    duration = 0.0 if counter.stream.frames else (container.duration or 0) / av.time_base
    short = counter.end < COMPLETE_SHARE * duration - TOLERANCE
    return f"it ends after {counter.end:.1f} of {duration:.1f} s" if short else ""


def _indexed(container: Any, stream: Any) -> int:
    # The header of an MP4 is an index of its frames. The count in an AVI header may be wrong.
    return stream.frames if "mp4" in container.format.name else 0


def _first_line(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0]
