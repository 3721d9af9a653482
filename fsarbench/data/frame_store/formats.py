"""File formats of a frame store: uncompressed frames or JPEG images, one file per video.

`raw` is a numpy file (.npy) with a uint8 array "T H W 3", which is memory-mapped for reading.
`jpeg` starts with a numpy array of offsets, followed by the JPEG images.
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
# JPEG quality of Pillow; above 95 files grow without a visible difference.
QUALITY = 92
Frame = UInt8[np.ndarray, "H W 3"]


def write_frames(path: Path, format_: Format, count: int, frames: Iterable[Frame]) -> int:
    """Write the frames of a video atomically.

    Args:
        path: File to write.
        format_: `raw` or `jpeg`.
        count: Expected number of frames.
        frames: Frames of equal size.

    Returns:
        Size of the file in bytes.

    Raises:
        ValueError: The frames differ in size, or their number is not `count`.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        written = _write_raw(file, count, frames) if format_ == "raw" else _write_jpeg(file, frames)
        if written != count:
            raise ValueError(f"{written} of {count} frames can be decoded")
        return file.tell()


def read_frames(
    path: Path, format_: Format, indices: Sequence[int]
) -> UInt8[np.ndarray, "T H W 3"]:
    """Read the frames at the given indices only.

    Raises:
        OSError, ValueError: The file is missing, truncated or damaged.
    """
    if format_ == "raw":
        return np.asarray(np.load(path, mmap_mode="r")[list(indices)])
    with path.open("rb") as file:
        offsets = npy.read_array(file).tolist()
        images = {index: _image(file, *offsets[index : index + 2]) for index in set(indices)}
    return np.stack([images[index] for index in indices])


def _write_raw(file: BinaryIO, count: int, frames: Iterable[Frame]) -> int:
    # No memory map: on a full disk, writing to it kills the process instead of raising an error.
    shape = None
    written = 0
    for frame in frames:
        if shape is None:
            shape = frame.shape
            header = {"descr": "|u1", "fortran_order": False, "shape": (count, *shape)}
            npy.write_array_header_1_0(file, header)
        _require_size(frame, shape)
        file.write(np.ascontiguousarray(frame).data)
        written += 1
    return written


def _write_jpeg(file: BinaryIO, frames: Iterable[Frame]) -> int:
    shape = None
    images = []
    for frame in frames:
        shape = shape or frame.shape
        _require_size(frame, shape)
        images.append(encode_jpeg(frame))
    ends = np.cumsum([0, *map(len, images)], dtype="<i8")
    # The images follow the array of offsets, whose length depends only on the number of offsets.
    array = io.BytesIO()
    npy.write_array(array, ends, version=(1, 0))
    npy.write_array(file, ends + array.tell(), version=(1, 0))
    file.writelines(images)
    return len(images)


def encode_jpeg(frame: Frame) -> bytes:
    """JPEG image of a frame."""
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def _require_size(frame: Frame, shape: tuple[int, ...]) -> None:
    if frame.shape != shape:
        raise ValueError(f"frames of several sizes, {shape[:2]} and {frame.shape[:2]}")


def _image(file: BinaryIO, start: int, end: int) -> Frame:
    file.seek(start, os.SEEK_SET)
    with Image.open(io.BytesIO(file.read(end - start))) as image:
        return np.asarray(image.convert("RGB"))
