"""Frames by torchcodec, which seeks where that lands on the right frame."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from fsarbench.data.identity import stamp_of
from fsarbench.data.readers.faults import require_file, require_frames, undecodable
from fsarbench.data.readers.pyav_reader import PyAVReader, opened
from fsarbench.errors import UserError
from fsarbench.interfaces import VideoReader
from fsarbench.registry import READERS
from fsarbench.value_rules import PositiveInt


@READERS.register_module()
class TorchCodecReader(VideoReader):
    """Reads with torchcodec and the FFmpeg of the system; the frames are those of `DecordReader`.

    torchcodec finds a frame by its time stamp. That serves in MP4, MOV, Matroska and WebM, where
    each frame has one of its own. All other files (AVI, MPEG), and those in which two frames share
    one, are decoded by `PyAVReader` instead, as torchcodec returns wrong frames of them.

    Args:
        threads: Decoding threads of one file; DataLoader workers serve better than more of these.
    """

    def __init__(self, threads: PositiveInt = 1) -> None:
        self.threads = threads

    def count(self, path: Path) -> int:
        """The number of frames of a file that are shown, without those that an edit cut away."""
        _video_decoder()
        return len(_scanned(path).stamps)

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        """RGB frames at the given indices, in their order."""
        decoder, scan = _video_decoder(), _scanned(path)
        require_frames(path, indices, len(scan.stamps))
        if scan.distinct:
            try:
                frames = self._found(decoder, path, scan, indices)
            except (RuntimeError, ValueError, IndexError) as error:
                raise undecodable(path, _reason(error)) from error
            if frames is not None:
                return frames
        return PyAVReader().read(path, indices)

    def _found(
        self, decoder: Any, path: Path, scan: "_Scan", indices: Sequence[int]
    ) -> UInt8[np.ndarray, "T H W 3"] | None:
        video = decoder(
            str(path), dimension_order="NHWC", num_ffmpeg_threads=self.threads, device="cpu"
        )
        if len(video) != len(scan.stamps):
            return None
        found = video.get_frames_at(list(indices))
        stamps = [round(seconds / scan.unit) for seconds in found.pts_seconds.tolist()]
        # A frame that cannot be decoded, as the first ones of a film cut inside an open group of
        # pictures, is silently replaced by the next one.
        right = stamps == [scan.stamps[index] for index in indices]
        return found.data.numpy() if right else None


@dataclass(frozen=True)
class _Scan:
    stamps: list[int]  # when each frame is shown, in that order
    unit: Fraction  # of a stamp, in seconds
    distinct: bool  # whether the stamps are the file's own, and no two are the same


def _scanned(path: Path) -> _Scan:
    require_file(path)
    return _scan(path, stamp_of(path))


@lru_cache(maxsize=1)  # a clip is counted, then read
def _scan(path: Path, stamp: object) -> _Scan:
    with opened(path) as (container, stream):
        packets = [packet for packet in container.demux(stream) if packet.size]
        stamps = [packet.pts for packet in packets if not packet.is_discard]
        known = sorted(stamp for stamp in stamps if stamp is not None)
        own = _stamps_are_kept(container, stream) and len(set(known)) == len(stamps)
        unit = stream.time_base
    if not stamps:
        raise undecodable(path, "no frames")
    return _Scan(known if own else [0] * len(stamps), unit, own)


def _stamps_are_kept(container: Any, stream: Any) -> bool:
    # Elsewhere FFmpeg guesses when a frame is shown, wrongly where frames are out of order.
    kind = container.format.name
    if kind.startswith("matroska"):
        # A track in AVI's fashion, which has a code of four letters, has no such stamps either.
        return not stream.codec_context.codec_tag.strip("\0")
    return kind.startswith("mov,")


def _video_decoder() -> Any:
    try:
        from torchcodec import ffmpeg_major_version
        from torchcodec.decoders import VideoDecoder
    except (ImportError, OSError, RuntimeError) as error:
        raise _unusable(str(error).strip().partition("\n")[0]) from error
    if ffmpeg_major_version is None:  # it is imported all the same, and fails on the first file
        raise _unusable("there is no FFmpeg that it knows")
    return VideoDecoder


def _unusable(reason: str) -> UserError:
    return UserError(
        f"TorchCodecReader needs the package torchcodec and FFmpeg's libraries, which cannot be "
        f'loaded here ({reason}): install "fsarbench[torchcodec]", and FFmpeg by the system\'s '
        "packages, or use reader.type='PyAVReader'."
    )


def _reason(error: Exception) -> str:
    # torchcodec's own messages start with a function and a line of its source.
    return re.sub(r"^.*?\.cpp:\d+, ", "", str(error))
