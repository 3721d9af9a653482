"""Frames by torchcodec, which seeks where that lands on the right frame."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.data.readers.faults import require_frames, undecodable
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.data.readers.streams import Timeline, opened, timeline
from fsarbench.data.video_files import stamp_of
from fsarbench.errors import UserError
from fsarbench.registry import READERS
from fsarbench.video import VideoReader

# Pixel formats that all versions of FFmpeg convert to the same RGB.
EXACT = frozenset({"yuv420p", "yuvj420p"})


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
        return timeline(path).count

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        """RGB frames at the given indices, in their order."""
        decoder, known = _video_decoder(), timeline(path)
        require_frames(path, indices, known.count)
        if known.stamps and (stream := _exact_stream(path, stamp_of(path))) is not None:
            try:
                frames = self._found(decoder, path, known, indices, stream)
            except (RuntimeError, ValueError, IndexError) as error:
                raise undecodable(path, _reason(error)) from error
            if frames is not None:
                return frames
        return PyAVReader().read(path, indices)

    def _found(
        self, decoder: Any, path: Path, known: Timeline, indices: Sequence[int], stream: int
    ) -> UInt8[np.ndarray, "T H W 3"] | None:
        video = decoder(
            str(path),
            stream_index=stream,
            dimension_order="NHWC",
            num_ffmpeg_threads=self.threads,
            device="cpu",
        )
        if len(video) != known.count:
            return None
        found = video.get_frames_at(list(indices))
        stamps = [round(seconds / known.unit) for seconds in found.pts_seconds.tolist()]
        # A frame that cannot be decoded, as the first ones of a video cut inside an open group of
        # pictures, is silently replaced by the next one.
        right = stamps == [known.stamps[index] for index in indices]
        return found.data.numpy() if right else None


@lru_cache(maxsize=1)
def _exact_stream(path: Path, stamp: str) -> int | None:
    """The index of the stream; None where torchcodec's colours are not those of PyAV."""
    with opened(path) as (_, stream):
        return stream.index if stream.codec_context.pix_fmt in EXACT else None


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
