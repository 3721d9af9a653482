"""Video streams of files: choice of the stream, number of frames, time stamps, and errors."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av

from fsarbench.data.readers.unreferenced import nothing_unreferenced, unreferenced_in
from fsarbench.data.video_files import stamp_of
from fsarbench.errors import UserError

# Codecs in which one packet is one frame, and a key frame depends on no earlier frame.
SEEKABLE = frozenset({"h264", "hevc", "vp8", "vp9", "av1", "libdav1d"})
# Values of FFmpeg's AVFieldOrder: unknown and progressive. Interlaced frames may be two packets.
PROGRESSIVE = (0, 1)
# Maximum memory for the decoded frames of the file that was counted last, in bytes.
KEPT_BYTES = 32 * 2**20


@dataclass(frozen=True)
class Timeline:
    """Number and time stamps of the frames of a video stream, in display order.

    Attributes:
        count: Number of frames that FFmpeg decodes.
        stamps: Time stamp of each frame, distinct and increasing; empty if frames cannot be
            identified by their time stamps.
        keys: Indices of the key frames, where decoding can start.
        unit: Unit of the time stamps, in seconds.
        order: Index of the frame in each packet, -1 for a packet without a frame; only of files
            without `stamps` in which some packets may be left out, each frame is in one packet, and
            no frame is interlaced or damaged.
    """

    count: int
    stamps: Sequence[int] = ()
    keys: Sequence[int] = ()
    unit: Fraction = Fraction(1)
    order: Sequence[int] = ()

    def index_of(self, stamp: int | None) -> int:
        """Index of the frame with a time stamp; -1 if there is none."""
        if stamp is None:
            return -1
        index = bisect_left(self.stamps, stamp)
        return index if index < self.count and self.stamps[index] == stamp else -1

    def key_before(self, index: int) -> int:
        """Index of the last key frame at or before a frame; -1 if there is none."""
        number = bisect_right(self.keys, index)
        return self.keys[number - 1] if number else -1


def best_stream(container: Any) -> Any:
    """Best video stream according to FFmpeg, except cover images; None if there is no video."""
    videos = [stream for stream in container.streams.video if not _is_cover(stream)]
    best = container.streams.best("video")
    return best if best in videos else _most_frames(videos)


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _most_frames(videos: list[Any]) -> Any:
    default = av.stream.Disposition.default
    return max(videos, key=lambda v: (bool(v.disposition & default), v.frames), default=None)


@contextmanager
def opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """Open a file and its best video stream with PyAV; every error names the file.

    Raises:
        UserError: The file is missing, has no video stream, or FFmpeg cannot decode it.
    """
    require_file(path)
    with errors_name(path), av.open(str(path)) as container:
        stream = best_stream(container)
        if stream is None:
            raise undecodable(path, "no video stream")
        if stream.codec_context is None:
            raise no_decoder(path)
        # Decoding threads slow down short clips, and the workers already use all cores.
        stream.thread_count = 1
        yield container, stream


@contextmanager
def errors_name(path: Path) -> Iterator[None]:
    """Turn errors of FFmpeg into errors that name the file.

    Raises:
        UserError: FFmpeg cannot decode the file, or its frames differ in size.
    """
    try:
        yield
    except UserError:
        raise  # The message already names the file.
    except (av.FFmpegError, OSError, ValueError) as error:
        raise undecodable(path, getattr(error, "strerror", None) or error) from error


def no_decoder(path: Path) -> UserError:
    """Error for a file whose codec is not supported by the FFmpeg inside PyAV."""
    return UserError(
        f"The video {path} has a codec that PyAV cannot decode: re-encode the video "
        "(`ffmpeg -i VIDEO -c:v libx264 NEW.mp4`), or remove it from the data set."
    )


def timeline(path: Path) -> Timeline:
    """Timeline of a file, with the number of frames that FFmpeg decodes.

    In MP4, MOV, Matroska and WebM files of common codecs each packet is one frame, so that nothing
    is decoded. In other files (AVI, MPEG, ...) a packet may hold no frame or several, and time
    stamps may be guesses; the whole stream is decoded once per process to count its frames. These
    frames are kept until the next file is counted (see `kept_frames`).

    Raises:
        UserError: The file is missing or cannot be decoded.
    """
    require_file(path)
    stamp = stamp_of(path)
    return _indexed(path, stamp) or _decoded(path, stamp)


# A video is counted and then read, and read again in later episodes.
@lru_cache(maxsize=1 << 12)
def _indexed(path: Path, stamp: str) -> Timeline | None:
    with opened(path) as (container, stream):
        if not _packets_are_frames(container, stream):
            return None
        packets = [packet for packet in container.demux(stream) if _has_frame(packet, stream)]
        return _timeline(packets, stream.time_base)


@lru_cache(maxsize=1 << 15)
def _decoded(path: Path, stamp: str) -> Timeline:
    _KEPT.clear()
    frames: list[Any] = []
    sources: list[object] = []
    size, packets = 0, 0
    with opened(path) as (container, stream):
        stream.codec_context.copy_opaque = True
        plain = unreferenced_in(stream.codec_context) is not nothing_unreferenced
        for packet in container.demux(stream):
            packet.opaque = packets
            packets += 1
            for frame in packet.decode():
                sources.append(frame.opaque)
                plain = plain and not (frame.interlaced_frame or frame.is_corrupt)
                size += sum(plane.buffer_size for plane in frame.planes)
                frames.append(frame)
                if size > KEPT_BYTES:
                    frames.clear()
    if not sources:
        raise undecodable(path, "no frames")
    if frames:
        _KEPT[path, stamp] = frames
    return Timeline(len(sources), order=_order(sources, packets) if plain else ())


def _order(sources: list[Any], packets: int) -> Sequence[int]:
    if None in sources or len(set(sources)) != len(sources):
        return ()
    order = array("i", [-1]) * packets
    for index, packet in enumerate(sources):
        order[packet] = index
    return order


# Frames of the file that was counted last, so that reading it does not decode it again.
_KEPT: dict[tuple[Path, str], list[Any]] = {}


def kept_frames(path: Path) -> Sequence[Any]:
    """Decoded frames of a file that was just counted by decoding it; empty for other files."""
    return _KEPT.get((path, stamp_of(path)), ())


def frames_in_index(container: Any, stream: Any) -> int:
    """Number of frames in the index of an MP4 or MOV file, without those that its edit list drops.

    No packet is read. The result is 0 if the file has no reliable index.
    """
    if stream.codec_context is None or not container.format.name.startswith("mov,"):
        return 0
    if stream.codec_context.name == "vp8" or not _packets_are_frames(container, stream):
        return 0
    return sum(1 for entry in stream.index_entries if not entry.is_discard)


def _packets_are_frames(container: Any, stream: Any) -> bool:
    codec = stream.codec_context
    if codec.name not in SEEKABLE or codec.field_order not in PROGRESSIVE:
        return False
    if container.format.name.startswith("matroska"):
        # A track in AVI compatibility mode has a four-character code and guessed time stamps.
        return not codec.codec_tag.strip("\0")
    return bool(container.format.name.startswith("mov,"))


def _has_frame(packet: Any, stream: Any) -> bool:
    if stream.codec_context.name == "vp8" and packet.size:
        return bool(memoryview(packet)[0] & 0x10)  # bit of the frames that are shown
    return bool(packet.size)


def _timeline(packets: list[Any], unit: Fraction) -> Timeline | None:
    # Packets that the edit list drops are in the file but never shown.
    shown = [packet for packet in packets if not packet.is_discard]
    stamps = array("q", sorted(packet.pts for packet in shown if packet.pts is not None))
    if not stamps or len(set(stamps)) != len(shown):
        return None
    first = packets[0]
    # Frames before the first key frame may depend on frames that are not in the file.
    if not first.is_keyframe or first.pts is None or stamps[0] < first.pts:
        return None
    keys = array("i", sorted(bisect_left(stamps, p.pts) for p in shown if p.is_keyframe))
    return Timeline(len(stamps), stamps, keys, unit)


def require_file(path: Path) -> None:
    """Raise a `UserError` unless `path` is a regular file that is not empty."""
    if path.is_dir():
        raise UserError(
            f"The video {path} is a folder: if it contains extracted frames, set "
            "reader.type='FramesReader'."
        )
    try:
        size = path.stat().st_size
    except PermissionError as error:
        raise undecodable(path, "permission denied") from error
    except OSError as error:
        raise UserError(
            f"The video {path} is missing: restore it, or remove it from the data set."
        ) from error
    if not path.is_file():  # opening a pipe would block forever
        raise undecodable(path, "not a regular file")
    if size == 0:
        raise UserError(
            f"The video {path} is empty (0 bytes): download it again, or remove it from the data "
            "set."
        )


def require_frames(path: Path, indices: Sequence[int], count: int) -> None:
    """Raise a `UserError` unless all indices are below the number of frames."""
    invalid = [index for index in indices if not 0 <= index < count]
    if invalid:
        raise UserError(
            f"The video {path} has {count} frames (0 to {count - 1}), but frame {invalid[0]} was "
            "requested: the file is truncated, or its header is wrong. Download it again, or "
            "remove it from the data set."
        )


def undecodable(path: Path, reason: object) -> UserError:
    """Error for an existing file that is damaged or not a video."""
    text = (str(reason).strip() or type(reason).__name__).splitlines()[0]
    return UserError(
        f"The video {path} cannot be decoded ({text}): it is damaged, or not a video. Download it "
        "again, or remove it from the data set."
    )
