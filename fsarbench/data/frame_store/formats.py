"""How the frames of one video are kept in a file: as they are, or as JPEG pictures.

`raw` is numpy's own format, an array "T H W 3" of bytes, which is mapped into memory. `jpeg` is an
array of offsets in the same format, and behind it the pictures, one after the other.
"""

import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from jaxtyping import UInt8
from numpy.lib import format as npy
from PIL import Image

from fsarbench.runtime.atomic_files import atomic_path

Format = Literal["raw", "jpeg"]
SUFFIX: dict[Format, str] = {"raw": ".npy", "jpeg": ".jpegs"}
# On a scale to 95, above which files grow and pictures hardly change.
QUALITY = 92
Frame = UInt8[np.ndarray, "H W 3"]


def write_frames(path: Path, format_: Format, count: int, frames: Iterable[Frame]) -> int:
    """Write the frames of a video; the file appears whole or not at all.

    Args:
        path: The file.
        format_: How they are kept.
        count: Their number.
        frames: All of one size.

    Returns:
        The size of the file, in bytes.

    Raises:
        ValueError: Frames have several sizes, or are fewer or more than `count`.
    """
    with atomic_path(path) as aside, aside.open("wb") as file:
        wrote = _write_raw(file, count, frames) if format_ == "raw" else _write_jpeg(file, frames)
        if wrote != count:
            raise ValueError(f"{wrote} of {count} frames can be decoded")
        return file.tell()


def read_frames(
    path: Path, format_: Format, indices: Sequence[int]
) -> UInt8[np.ndarray, "T H W 3"]:
    """Frames at the given indices; the others are not touched.

    Raises:
        OSError, ValueError: The file is missing, cut short or damaged.
    """
    if format_ == "raw":
        return np.asarray(np.load(path, mmap_mode="r")[list(indices)])
    with path.open("rb") as file:
        offsets = npy.read_array(file).tolist()
        pictures = {index: _picture(file, *offsets[index : index + 2]) for index in set(indices)}
    return np.stack([pictures[index] for index in indices])


def _write_raw(file: BinaryIO, count: int, frames: Iterable[Frame]) -> int:
    # Not into a memory map: on a full disk that ends the process instead of raising an error.
    shape = None
    wrote = 0
    for frame in frames:
        if shape is None:
            shape = frame.shape
            header = {"descr": "|u1", "fortran_order": False, "shape": (count, *shape)}
            npy.write_array_header_1_0(file, header)
        _require_size(frame, shape)
        file.write(np.ascontiguousarray(frame).data)
        wrote += 1
    return wrote


def _write_jpeg(file: BinaryIO, frames: Iterable[Frame]) -> int:
    shape = None
    pictures = []
    for frame in frames:
        shape = shape or frame.shape
        _require_size(frame, shape)
        pictures.append(as_jpeg(frame))
    ends = np.cumsum([0, *map(len, pictures)], dtype="<i8")
    # As long as its header, which depends on the number of offsets alone.
    start = io.BytesIO()
    npy.write_array(start, ends, version=(1, 0))
    npy.write_array(file, ends + start.tell(), version=(1, 0))
    file.writelines(pictures)
    return len(pictures)


def as_jpeg(frame: Frame) -> bytes:
    """One picture of `jpeg`."""
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def _require_size(frame: Frame, shape: tuple[int, ...]) -> None:
    if frame.shape != shape:
        raise ValueError(f"frames of several sizes, {shape[:2]} and {frame.shape[:2]}")


def _picture(file: BinaryIO, start: int, end: int) -> Frame:
    file.seek(start, os.SEEK_SET)
    with Image.open(io.BytesIO(file.read(end - start))) as picture:
        return np.asarray(picture.convert("RGB"))
