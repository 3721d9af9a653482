"""The readers of video files; torchcodec's where the package and FFmpeg are there."""

import pytest

from fsarbench.data.readers.decord_reader import DecordReader
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.data.readers.torchcodec_reader import TorchCodecReader


def missing() -> str:
    """Why torchcodec cannot be used here; nothing where it can."""
    try:
        import torchcodec
        import torchcodec.decoders
    except (ImportError, OSError, RuntimeError) as error:
        return f"torchcodec is not here: {str(error).strip().splitlines()[0]}"
    return "" if torchcodec.ffmpeg_major_version else "torchcodec finds no FFmpeg"


WITHOUT = missing()
needs_torchcodec = pytest.mark.skipif(bool(WITHOUT), reason=WITHOUT or "it is here")
TORCHCODEC = pytest.param(TorchCodecReader, marks=needs_torchcodec)
READERS = [DecordReader, PyAVReader, TORCHCODEC]
OTHERS = [PyAVReader, TORCHCODEC]
