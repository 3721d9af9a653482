"""AVIs as XviD and DivX write them: two packets of one byte, without a frame, after the first."""

from pathlib import Path

import av
import numpy as np

MARKER = b"\x00\x00\x01\xb2DivX503b1393p"
PICTURE = b"\x00\x00\x01\xb6"


def packed_avi(path: Path, frames: int = 30) -> Path:
    """An MPEG-4 AVI of so many frames, and two packets more."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        stream.codec_context.codec_tag = "XVID"
        packets = []
        for number in range(frames):
            image = np.full((64, 64, 3), number * 8 % 256, np.uint8)
            packets += stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24"))
        packets += stream.encode()
        contents = [(bytes(packet), packet.is_keyframe) for packet in packets]
        start = contents[0][0].find(PICTURE)
        first = contents[0][0][:start] + MARKER + contents[0][0][start:]
        contents[:1] = [(first, True), (b"\x7f", False), (b"\x7f", False)]
        for number, (content, is_keyframe) in enumerate(contents):
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, packets[0].time_base
            packet.pts = packet.dts = number
            packet.is_keyframe = is_keyframe
            container.mux(packet)
    return path
