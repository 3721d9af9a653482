"""Writing of short video files, whole or not at all."""

import io
from pathlib import Path

import av
import numpy as np
from jaxtyping import UInt8

from fsarbench.runtime.atomic_files import write_whole

# One thread, because x264's output depends on their number. No look-ahead, because with it about
# one file in a hundred, of the same frames, differed from run to run on a busy machine. A whole
# picture every eight frames and none that refer to later ones: to reach a frame, few are decoded.
CODEC_OPTIONS = {
    "preset": "veryfast",
    "crf": "23",
    "g": "8",
    "threads": "1",
    "x264-params": "bframes=0:scenecut=0:mbtree=0:rc-lookahead=0",
    "flags": "+bitexact",
}


def write_video(path: Path, frames: UInt8[np.ndarray, "T H W 3"], fps: int) -> int:
    """Write RGB frames as an H.264 mp4 file, whose height and width must be even.

    The file appears under its name only when it is whole.

    Returns:
        The size of the file, in bytes.
    """
    data = encode(frames, fps)
    write_whole(path, data)
    return len(data)


def encode(frames: UInt8[np.ndarray, "T H W 3"], fps: int) -> bytes:
    """The bytes of an mp4 file: the same for the same frames, with the same version of x264."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=fps, options=CODEC_OPTIONS)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()
