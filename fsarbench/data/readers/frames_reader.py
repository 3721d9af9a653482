"""Reader for extracted frames."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from fsarbench.data.readers.streams import require_frames, undecodable
from fsarbench.data.video_files import frame_files
from fsarbench.errors import UserError
from fsarbench.registry import READERS
from fsarbench.video import VideoReader


@READERS.register_module()
class FramesReader(VideoReader):
    """Reader for extracted frames (`img_00001.jpg`), JPEG or PNG, in one folder per video.

    Args:
        prefix: File name before the frame number; None for the only prefix in the folder, or `img_`
            if there are several.
    """

    def __init__(self, prefix: str | None = None) -> None:
        self.prefix = prefix

    def count(self, path: Path) -> int:
        """Number of frames in a folder."""
        return len(self._files(path))

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        """RGB frames at the given indices, in the given order; index 0 is the first frame."""
        files = self._files(path)
        require_frames(path, indices, len(files))
        frames = {index: _image(path, files[index]) for index in set(indices)}
        sizes = {frame.shape for frame in frames.values()}
        if len(sizes) > 1:
            raise undecodable(path, f"frames of several sizes, {sorted(sizes)}")
        return np.stack([frames[index] for index in indices])

    def _files(self, path: Path) -> list[Path]:
        if path.is_file():
            raise UserError(
                f"FramesReader reads folders of extracted frames, but {path} is a file: set "
                "reader.type='PyAVReader' or 'DecordReader'."
            )
        try:
            return frame_files(path, self.prefix)
        except FileNotFoundError:
            raise UserError(
                f"The folder of frames {path} is missing: restore it, or remove it from the data "
                "set."
            ) from None
        except OSError as error:
            raise undecodable(path, error.strerror or error) from error


def _image(path: Path, file: Path) -> UInt8[np.ndarray, "H W 3"]:
    try:
        with Image.open(file) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        reason = getattr(error, "strerror", None) or "damaged, or not an image"
        raise undecodable(path, f"{file.name}: {reason}") from error
