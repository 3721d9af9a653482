"""Frames by decord."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from fsarbench.data.readers.faults import require_file, require_frames, undecodable
from fsarbench.errors import UserError
from fsarbench.interfaces import VideoReader
from fsarbench.registry import READERS
from fsarbench.value_rules import PositiveInt


@READERS.register_module()
class DecordReader(VideoReader):
    """Reads with decord.

    Frames are decoded from the first one on, never by seeking: decord's seeking lands on wrong
    frames in files without time stamps (AVI) and in open groups of pictures. Frames are turned as
    the file's display matrix says, as players show them.

    Args:
        threads: Decoding threads of one file; DataLoader workers serve better than more of these.
    """

    def __init__(self, threads: PositiveInt = 1) -> None:
        self.threads = threads

    def count(self, path: Path) -> int:
        """The number of frames of a file."""
        return len(self._open(path))

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        """RGB frames at the given indices, in their order."""
        video = self._open(path)
        require_frames(path, indices, len(video))
        wanted = set(indices)
        kept: dict[int, np.ndarray] = {}
        for index in range(max(indices) + 1):
            frame = _next(path, video, index)
            if index in wanted:
                kept[index] = _picture(frame.asnumpy())
        return np.stack([kept[index] for index in indices])

    def _open(self, path: Path) -> Any:
        require_file(path)
        decord = _decord()
        try:
            video = decord.VideoReader(str(path), num_threads=self.threads)
        except (RuntimeError, decord.DECORDError) as error:
            raise undecodable(path, _reason(error)) from error
        if len(video) == 0:
            raise undecodable(path, "no frames")
        return video


def _decord() -> Any:
    try:
        import decord
    except (ImportError, OSError) as error:
        raise UserError(
            f"DecordReader needs the package decord, which cannot be imported here ({error}): "
            "install it, or use reader.type='PyAVReader'."
        ) from error
    # FFmpeg's own complaints about a damaged file come without its name; ours have it.
    decord.logging.set_level(decord.logging.QUIET)
    return decord


def _picture(frame: np.ndarray) -> UInt8[np.ndarray, "H W 3"]:
    # Lines that end in padding of a multiple of the width come as more than three channels.
    height, width, channels = frame.shape
    if channels == 3:
        return frame
    return frame.reshape(height, -1)[:, : 3 * width].reshape(height, width, 3)


def _next(path: Path, video: Any, index: int) -> Any:
    try:
        return video.next()
    except (RuntimeError, StopIteration, _decord().DECORDError) as error:
        raise undecodable(path, f"frame {index}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    # decord's own messages start with a time and a line of its source, or say the path again.
    text = str(error).partition("ERROR ")[2] or str(error) or "it ends early"
    return "not a readable video" if text.startswith("Error reading") else text
