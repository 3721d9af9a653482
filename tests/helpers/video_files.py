"""Small videos written for the tests, in the forms that people's files come in."""

from pathlib import Path

import av
import numpy as np

KINDS = {
    "intra.mp4": ("libx264", {"g": "8", "bf": "0"}),
    "bframes.mp4": ("libx264", {"g": "12", "bf": "3"}),
    "opengop.mp4": ("libx264", {"g": "12", "bf": "3", "x264-params": "open-gop=1"}),
    "no_time_stamps.avi": ("libx264", {"g": "8", "bf": "2"}),
    "xvid.avi": ("mpeg4", {"g": "12", "bf": "2", "qmax": "2"}),
    "matroska.mkv": ("libx264", {"g": "12", "bf": "2"}),
}


def write(path: Path, count: int = 40, kind: tuple[str, dict[str, str]] | None = None) -> Path:
    """A video whose frame i is a grey of 5 i + 20 with a bright corner."""
    codec, options = kind or KINDS["intra.mp4"]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=12, options={"threads": "1", **options})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(count):
            image = np.full((48, 64, 3), 5 * index + 20, dtype=np.uint8)
            image[:8, :8] = (250, 30, 60)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
