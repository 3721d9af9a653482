"""Frames that were extracted before."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from fsarbench.data.readers.faults import require_frames, undecodable
from fsarbench.data.video_files import frame_files
from fsarbench.errors import UserError
from fsarbench.registry import READERS
from fsarbench.video import VideoReader


@READERS.register_module()
class FramesReader(VideoReader):
    """Reads folders of extracted frames (`img_00001.jpg`), JPEG or PNG, one folder a video.

    Args:
        prefix: What comes before the number in a frame's name; None for the only prefix there is,
            or `img_` among several.
    """

    def __init__(self, prefix: str | None = None) -> None:
        self.prefix = prefix

    def count(self, path: Path) -> int:
        """The number of frames of a folder."""
        return len(self._files(path))

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        """RGB frames at the given indices, in their order; the frame of index 0 is the first."""
        files = self._files(path)
        require_frames(path, indices, len(files))
        kept = {index: _picture(path, files[index]) for index in set(indices)}
        sizes = {picture.shape for picture in kept.values()}
        if len(sizes) > 1:
            raise undecodable(path, f"frames of several sizes, {sorted(sizes)}")
        return np.stack([kept[index] for index in indices])

    def _files(self, path: Path) -> list[Path]:
        if path.is_file():
            raise UserError(
                f"FramesReader reads folders of extracted frames, but {path} is a file: use "
                "reader.type='DecordReader' or 'PyAVReader'."
            )
        try:
            return frame_files(path, self.prefix)
        except FileNotFoundError:
            raise UserError(
                f"The folder of frames {path} is missing: restore it, or take it out of the data "
                "set."
            ) from None
        except OSError as error:
            raise undecodable(path, error.strerror or error) from error


def _picture(path: Path, file: Path) -> UInt8[np.ndarray, "H W 3"]:
    try:
        with Image.open(file) as picture:
            return np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        reason = getattr(error, "strerror", None) or "it is damaged, or no picture"
        raise undecodable(path, f"{file.name}: {reason}") from error
