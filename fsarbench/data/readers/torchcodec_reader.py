"""Video reader based on torchcodec, for files in which seeking is exact."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.data.readers.streams import Timeline, opened, require_frames, timeline, undecodable
from fsarbench.data.video_files import stamp_of
from fsarbench.errors import UserError
from fsarbench.registry import READERS
from fsarbench.video import VideoReader

# Pixel formats that all versions of FFmpeg convert to the same RGB.
EXACT = frozenset({"yuv420p", "yuvj420p"})


@READERS.register_module()
class TorchCodecReader(VideoReader):
    """Reader based on torchcodec and the FFmpeg of the system; same frames as the other readers.

    torchcodec finds a frame by its time stamp, which is exact if every frame has a distinct one
    (MP4, MOV, Matroska, WebM). Other files (AVI, MPEG), and files in which frames share a time
    stamp, are decoded by `PyAVReader`, because torchcodec would return wrong frames.

    Args:
        threads: Decoding threads per file. More DataLoader workers are faster than more threads.
    """

    def __init__(self, threads: PositiveInt = 1) -> None:
        self.threads = threads

    def count(self, path: Path) -> int:
        """Number of frames, without those that an edit list drops."""
        _video_decoder()
        return timeline(path).count

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        """RGB frames at the given indices, in the given order."""
        decoder, frame_times = _video_decoder(), timeline(path)
        require_frames(path, indices, frame_times.count)
        if frame_times.stamps and (stream := _exact_stream(path, stamp_of(path))) is not None:
            try:
                frames = self._decoded(decoder, path, frame_times, indices, stream)
            except (RuntimeError, ValueError, IndexError) as error:
                raise undecodable(path, _reason(error)) from error
            if frames is not None:
                return frames
        return PyAVReader().read(path, indices)

    def _decoded(
        self, decoder: Any, path: Path, frame_times: Timeline, indices: Sequence[int], stream: int
    ) -> UInt8[np.ndarray, "T H W 3"] | None:
        video = decoder(
            str(path),
            stream_index=stream,
            dimension_order="NHWC",
            num_ffmpeg_threads=self.threads,
            device="cpu",
        )
        if len(video) != frame_times.count:
            return None
        frames = video.get_frames_at(list(indices))
        stamps = [round(seconds / frame_times.unit) for seconds in frames.pts_seconds.tolist()]
        # torchcodec silently returns the next frame if one cannot be decoded, for example at the
        # start of a video that was cut inside an open group of pictures.
        exact = stamps == [frame_times.stamps[i] for i in indices]
        return frames.data.numpy() if exact else None


@lru_cache(maxsize=1)
def _exact_stream(path: Path, stamp: str) -> int | None:
    """Index of the video stream; None if torchcodec may convert its colours differently."""
    with opened(path) as (_, stream):
        return stream.index if stream.codec_context.pix_fmt in EXACT else None


def _video_decoder() -> Any:
    try:
        from torchcodec import ffmpeg_major_version
        from torchcodec.decoders import VideoDecoder
    except (ImportError, OSError, RuntimeError) as error:
        raise _not_installed(str(error).strip().partition("\n")[0]) from error
    if ffmpeg_major_version is None:  # torchcodec would be imported, and fail at the first file
        raise _not_installed("it finds no supported version of FFmpeg")
    return VideoDecoder


def _not_installed(reason: str) -> UserError:
    return UserError(
        f"TorchCodecReader needs the package torchcodec and the libraries of FFmpeg, which cannot "
        f'be loaded ({reason}): install "fsarbench[torchcodec]", and FFmpeg with the package '
        "manager of the system, or set reader.type='PyAVReader'."
    )


def _reason(error: Exception) -> str:
    # Messages of torchcodec start with a function and a line of its source.
    return re.sub(r"^.*?\.cpp:\d+, ", "", str(error))
