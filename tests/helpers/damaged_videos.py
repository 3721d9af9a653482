"""Videos that go wrong in every known way, made by the tests themselves."""

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.helpers.video_files import write

LYING = (0, 1 << 16, 0, -(1 << 16), 0, 0, 48 << 16, 0, 1 << 30)


def picture(number: int, height: int, width: int) -> np.ndarray:
    """A frame of blocks whose grey tells its number, red in its upper left."""
    rows, columns = np.indices((height, width)) // 8
    grey = (5 * number + 20 + 3 * ((rows + columns) % 2)).astype(np.uint8)
    image = np.repeat(grey[..., None], 3, axis=2)
    image[: height // 3, : width // 3] = (250, 30, 60)
    return image


def make(
    path: Path,
    count: int = 20,
    size: tuple[int, int] = (48, 64),
    codec: str = "libx264",
    pixels: str = "yuv420p",
    times: Callable[[int], int] = lambda number: number,
    options: dict[str, str] | None = None,
) -> Path:
    """A video in any size, codec, kind of pixels and rhythm."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=12)
        stream.height, stream.width = size
        stream.pix_fmt = pixels
        stream.codec_context.thread_count = 1
        container.start_encoding()
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(picture(number, *size), format="rgb24")
            frame.pts, frame.time_base = times(number), Fraction(1, 12)
            container.mux(stream.encode(frame))
        if count:
            container.mux(stream.encode())
    return path


def cut(path: Path, source: Path, share: float = 0.6) -> Path:
    """The first part of a file."""
    data = source.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def wrong_count(path: Path, count: int) -> Path:
    """An AVI whose headers say another number of frames."""
    data = bytearray(make(path, codec="mpeg4").read_bytes())
    main, stream = data.find(b"avih"), data.find(b"strh")
    data[main + 24 : main + 28] = data[stream + 40 : stream + 44] = struct.pack("<I", count)
    path.write_bytes(data)
    return path


def turned(path: Path, matrix: tuple[int, ...] = LYING, size: tuple[int, int] = (48, 64)) -> Path:
    """An mp4 that its display matrix turns by a quarter, as phones write portraits."""
    data = bytearray(make(path, size=size).read_bytes())
    start = data.find(b"tkhd") + 44
    data[start : start + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)
    return path


def readable(folder: Path) -> list[Path]:
    """Files that look odd and can be read all the same."""
    return [
        make(folder / "odd sizes.mp4", size=(47, 63), pixels="yuv444p"),
        make(folder / "1x1.mp4", size=(1, 1), pixels="yuv444p"),
        make(folder / "narrow.mp4", size=(6, 16), pixels="yuv444p"),
        make(folder / "alpha.mov", codec="qtrle", pixels="argb"),
        make(folder / "rhythm.mp4", times=lambda number: number * number),
        turned(folder / "lying.mp4"),
        turned(folder / "lying, odd.mp4", size=(50, 70)),
        make(folder / "Ünï côdé 手.mkv", size=(24, 24)),
        make(folder / "one frame.mp4", count=1),
        wrong_count(folder / "header says more.avi", 40),
        wrong_count(folder / "header says less.avi", 10),
    ]


def bad(folder: Path) -> dict[Path, tuple[str, str]]:
    """Files that cannot be read, with the kind and a part of the reason that a check reports."""
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("no video at all\n" * 50)
    (folder / "loop.mp4").symlink_to(folder / "loop.mp4")
    (folder / "gone.mp4").symlink_to(folder / "nothing there")
    whole = make(folder.parent / "whole.mp4", options={"movflags": "faststart"})
    stream = make(folder.parent / "whole.mkv")
    old = make(folder.parent / "whole.avi", codec="mpeg4")
    return {
        folder / "empty.mp4": ("unreadable", "0 bytes"),
        folder / "text.mp4": ("unreadable", "Invalid data"),
        folder / "loop.mp4": ("missing", "symbolic links"),
        folder / "gone.mp4": ("missing", "No such file"),
        make(folder / "zero frames.mp4", count=0): ("unreadable", ""),
        cut(folder / "cut.mp4", whole): ("truncated", "of 20 frames can be decoded"),
        cut(folder / "cut before its index.mp4", write(folder.parent / "index last.mp4")): (
            "unreadable",
            "",
        ),
        cut(folder / "cut.avi", old, 0.9): ("truncated", "of 20 frames can be decoded"),
        cut(folder / "cut.mkv", stream, 0.8): ("truncated", "of 1.7 s"),
    }
