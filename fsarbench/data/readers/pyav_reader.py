"""Frames by PyAV, which has wheels for more platforms than decord."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
from jaxtyping import UInt8

from fsarbench.data.readers.faults import require_file, require_frames, undecodable
from fsarbench.interfaces import VideoReader
from fsarbench.registry import READERS


@READERS.register_module()
class PyAVReader(VideoReader):
    """Reads with PyAV (FFmpeg), from the first frame on; the frames are those of `DecordReader`."""

    def count(self, path: Path) -> int:
        """The number of frames of a file: its packets, since headers are often wrong."""
        with opened(path) as (container, stream):
            # Packets that an edit of the file cut away are there, and are never shown.
            count = sum(1 for p in container.demux(stream) if p.size and not p.is_discard)
        if count == 0:
            raise undecodable(path, "no frames")
        return count

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        """RGB frames at the given indices, in their order."""
        wanted, last = set(indices), max(indices)
        kept: dict[int, np.ndarray] = {}
        seen = 0
        with opened(path) as (container, stream):
            for frame in container.decode(stream):
                if seen in wanted:
                    kept[seen] = _upright(frame)
                seen += 1
                if seen > last:
                    break
            require_frames(path, indices, seen if seen <= last else last + 1)
            # Inside: pictures of several sizes in one film are a fault of the file, too.
            return np.stack([kept[index] for index in indices])


def _upright(frame: Any) -> UInt8[np.ndarray, "H W 3"]:
    # Phones write portraits lying, with a display matrix; decord and players turn them.
    picture = frame.to_ndarray(format="rgb24")
    return np.rot90(picture, round(frame.rotation / 90))


@contextmanager
def opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """A file, and its first film, as PyAV knows them; whatever goes wrong names the file."""
    require_file(path)
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise undecodable(path, "no video stream")
            stream = container.streams.video[0]
            # Threads cost more than they save on short clips, and workers share the cores.
            stream.thread_count = 1
            yield container, stream
    except (av.FFmpegError, OSError, ValueError) as error:
        raise undecodable(path, getattr(error, "strerror", None) or error) from error
