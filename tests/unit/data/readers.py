"""The readers of video files; torchcodec's where the package and FFmpeg are there."""

import pytest

from fsarbench.data.readers.decord_reader import DecordReader
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.data.readers.torchcodec_reader import TorchCodecReader


def missing() -> str:
    """Why torchcodec cannot be used here; nothing where it can."""
    try:
        import torchcodec.decoders  # noqa: F401
    except (ImportError, OSError, RuntimeError) as error:
        return f"torchcodec, or FFmpeg, is not here: {str(error).strip().splitlines()[0]}"
    return ""


WITHOUT = missing()
needs_torchcodec = pytest.mark.skipif(bool(WITHOUT), reason=WITHOUT or "it is here")
TORCHCODEC = pytest.param(TorchCodecReader, marks=needs_torchcodec)
READERS = [DecordReader, PyAVReader, TORCHCODEC]
OTHERS = [PyAVReader, TORCHCODEC]
