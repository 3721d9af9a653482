"""One video decoded from its first frame to its last.

This runs in processes that are ended when a file holds them up, so it imports little.
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
    """What can be said of a folder of frames.

    Args:
        folder: The folder.
        stamp: What changes with its content.
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


# A video of this share of the duration that its header promises, less some seconds, counts as
# whole: the duration of the last frame is often not known.
WHOLE, SLACK = 0.9, 0.2


def examine(path: Path) -> Facts:
    """What can be said of a video file or of a folder of frames.

    Example:
        >>> examine(Path("no-such.mp4")).kind
        'missing'
    """
    try:
        stamp = stamp_of(path)
    except PermissionError as error:
        return Facts(kind="unreadable", reason=_words(error))
    except OSError as error:
        return Facts(kind="missing", reason=_words(error))
    if path.is_dir():
        return examine_frames(path, stamp)
    if not path.is_file():
        return Facts(kind="unreadable", reason="no regular file")
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
            return _decoded(container, stream, stamp, _lacking(path))
    except (av.FFmpegError, OSError, ValueError) as error:
        return Facts(stamp, kind="unreadable", reason=_words(error))


class _Tally:
    """What was seen of a video so far: packets, frames and the end of the last packet in seconds.

    Packets of one byte hold no frame: XviD and DivX write them where an earlier packet holds two,
    and after the first one of many files.

    Args:
        stream: The video stream; the others count for the end alone.
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
        # The empty packets at the end, which give the last frames, know their stream alone.
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
        """The frames that the header promises; its count of packets without a frame is no fault."""
        promised = int(self.stream.frames)
        return self.frames if promised == self.frames + self.placeholders else promised


def _lacking(path: Path) -> str:
    # An AVI begins with its own size. FFmpeg reads a shorter one without a word.
    with path.open("rb") as file:
        start = file.read(8)
    size, promised = path.stat().st_size, int.from_bytes(start[4:], "little") + 8
    cut = start[:4] == b"RIFF" and size < promised
    return f": it has {size:,} of {promised:,} bytes" if cut else ""


def _decoded(container: Any, stream: Any, stamp: str, fault: str) -> Facts:
    stream.thread_count = 1
    tally = _Tally(stream)
    try:
        for packet in container.demux():
            tally.add(packet)
    except (av.FFmpegError, OSError, ValueError) as error:
        fault = f": {_words(error)}"
    promised = stream.frames or tally.packets
    if not tally.frames and not promised:
        return Facts(stamp, kind="unreadable", reason="no frames")
    digest = tally.digest.hexdigest() if tally.frames else ""
    reason = _cut(container, tally, promised, fault)
    kind: Kind = "truncated" if reason else ""
    return Facts(stamp, tally.frames, tally.header, digest, kind, reason)


def _cut(container: Any, tally: _Tally, promised: int, fault: str) -> str:
    if fault or tally.frames == 0 or tally.packets < _index(container, tally.stream):
        return f"{tally.frames} of {promised} frames can be decoded{fault}"
    whole = 0.0 if tally.stream.frames else (container.duration or 0) / av.time_base
    short = tally.end < WHOLE * whole - SLACK
    return f"it ends after {tally.end:.1f} of {whole:.1f} s" if short else ""


def _index(container: Any, stream: Any) -> int:
    # The header of an mp4 is an index of its frames; that of an AVI is only what its writer said.
    return stream.frames if "mp4" in container.format.name else 0


def _words(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0]
