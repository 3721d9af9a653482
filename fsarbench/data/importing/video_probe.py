"""Frame count, frame rate and size of videos, from their headers where these can be relied on."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import av

from fsarbench.data.readers.streams import best_stream, frames_in_index, timeline
from fsarbench.data.video_files import FRAME
from fsarbench.errors import UserError


@dataclass(frozen=True)
class Header:
    """Frames, frames a second, and width x height in pixels; empty where the header is silent."""

    frames: str = ""
    fps: str = ""
    size: str = ""


def probe(path: Path) -> Header:
    """The header of a file or of a folder of frames; an empty one if it cannot be read.

    Files whose header cannot be relied on (AVI, ...) are decoded once to count their frames.
    Whether videos can be decoded is found out by `fsarbench data check`.
    """
    try:
        if path.is_dir():
            count = sum(1 for entry in os.scandir(path) if FRAME.fullmatch(entry.name))
            return Header(frames=str(count))
        if path.stat().st_size == 0:
            return Header()
        with av.open(str(path)) as container:
            stream = best_stream(container)
            if stream is None:
                return Header()
            header, known = _header(stream), frames_in_index(container, stream)
        if not header.frames or known:
            return replace(header, frames=str(known or ""))
        # What such headers say is often wrong; an AVI of XviD counts packets without a frame.
        return replace(header, frames=str(timeline(path).count))
    except (av.FFmpegError, OSError, ValueError, UserError):
        return Header()


def probe_all(paths: Iterable[Path], advance: Callable[[], None]) -> Iterator[Header]:
    """The headers of many files, in their order."""
    # Threads wait for the disk, which may be far away, more than they compute.
    with ThreadPoolExecutor(8) as pool:
        for header in pool.map(probe, paths):
            advance()
            yield header


def _header(stream: "av.VideoStream") -> Header:
    rate = stream.average_rate
    size = f"{stream.width}x{stream.height}" if stream.width and stream.height else ""
    return Header(str(stream.frames or ""), f"{float(rate):.6g}" if rate else "", size)
