"""Packets that are left out: which ones, and that the remaining frames do not change."""

from pathlib import Path

import av
import numpy as np
import pytest

from fsarbench.data.readers import pyav_reader, streams
from fsarbench.data.readers.pyav_reader import PyAVReader, decode_from_start
from fsarbench.data.readers.streams import kept_frames, opened, timeline
from fsarbench.data.readers.unreferenced import (
    has_only_unreferenced_slices,
    nothing_unreferenced,
    unreferenced_in,
)
from tests.helpers.packed_avi import packed_avi
from tests.helpers.video_files import KINDS, write

B_FRAMES = {
    "b.mp4": ("libx264", {"g": "250", "bf": "3", "x264-params": "b-pyramid=normal:b-adapt=0"}),
    "b.mkv": ("libx264", {"g": "30", "bf": "5", "x264-params": "b-adapt=0:open-gop=1"}),
    "slices.mp4": ("libx264", {"g": "30", "bf": "3", "x264-params": "slices=4:b-adapt=0"}),
    "b.avi": ("mpeg4", {"g": "30", "bf": "2", "qmax": "2"}),
    "b_in.mp4": ("mpeg4", {"g": "12", "bf": "2", "qmax": "2"}),
}


def moving(path: Path, kind: tuple[str, dict[str, str]], count: int = 36) -> Path:
    """A textured video that moves, so that every frame depends on others."""
    codec, options = kind
    draw = np.random.Generator(np.random.PCG64(5))
    texture = draw.integers(0, 255, (12, 16, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=12, options={"threads": "1", **options})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(count):
            image = np.roll(texture, (number, 2 * number), (0, 1))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


def left_out(path: Path) -> int:
    with opened(path) as (container, stream):
        unreferenced = unreferenced_in(stream.codec_context)
        return sum(unreferenced(packet) for packet in container.demux(stream))


def forget(path: Path) -> None:
    """Make the reader forget the decoded frames that it keeps."""
    timeline(path)
    streams._KEPT.clear()


@pytest.mark.parametrize("name", B_FRAMES)
def test_frames_are_those_of_decoding_every_packet(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = moving(tmp_path / name, B_FRAMES[name])
    assert left_out(path) >= 10
    expected = decode_from_start(path, range(36))
    monkeypatch.setattr(pyav_reader, "decode_from_start", None)  # must not be called
    forget(path)
    reader = PyAVReader()
    for index in range(36):
        np.testing.assert_array_equal(reader.read(path, [index])[0], expected[index])
    for some in ([2, 6, 11, 15, 20, 24, 29, 33], [35, 0, 35, 17], range(36)):
        np.testing.assert_array_equal(reader.read(path, some), expected[list(some)])


def test_packets_are_left_out_only_where_they_say_so(tmp_path: Path) -> None:
    hevc = ("libx265", {"x265-params": "keyint=12:bframes=4:log-level=none"})
    for name, kind in {"intra.mp4": KINDS["intra.mp4"], "hevc.mp4": hevc}.items():
        assert left_out(write(tmp_path / name, kind=kind)) == 0
    # Without lengths of NAL units in the header.
    with opened(moving(tmp_path / "a.avi", B_FRAMES["b.mp4"])) as (_, stream):
        assert unreferenced_in(stream.codec_context) is nothing_unreferenced
    # Two pictures in a packet, and packets without a picture.
    path = packed_avi(tmp_path / "packed.avi")
    assert left_out(path) == 0
    assert sorted(timeline(path).order)[:3] == [-1, -1, -1]


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ([b"\x01\xaa\xbb"], True),
        ([b"\x09\x10", b"\x01\xaa", b"\x01\xbb"], True),
        ([b"\x41\xaa"], False),  # a reference picture
        ([b"\x01\xaa", b"\x41\xbb"], False),
        ([b"\x06\x05", b"\x01\xaa"], False),  # SEI messages may apply to later frames
        ([b"\x68\x05", b"\x01\xaa"], False),  # parameter set
        ([b"\x09\x10"], False),  # no picture
        ([], False),
    ],
)
@pytest.mark.parametrize("width", [2, 4])
def test_nal_units(units: list[bytes], expected: bool, width: int) -> None:
    data = b"".join(len(unit).to_bytes(width, "big") + unit for unit in units)
    assert has_only_unreferenced_slices(data, width) is expected
    if expected:
        assert not has_only_unreferenced_slices(data[:-1], width)  # cut off


def test_interlaced_frames_are_all_decoded(tmp_path: Path) -> None:
    kind = ("mpeg4", {"g": "12", "bf": "2", "flags": "+ildct+ilme"})
    path = moving(tmp_path / "a.avi", kind)
    assert timeline(path).order == ()


def test_a_counted_file_is_not_decoded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = (moving(tmp_path / f"{name}.avi", B_FRAMES["b.avi"]) for name in "ab")
    expected = decode_from_start(first, range(36))
    assert PyAVReader().count(first) == 36
    with monkeypatch.context() as patch:
        patch.setattr(pyav_reader, "opened", None)  # must not be called
        np.testing.assert_array_equal(PyAVReader().read(first, [30, 3]), expected[[30, 3]])
    assert PyAVReader().count(other) == 36
    assert not kept_frames(first)
    np.testing.assert_array_equal(PyAVReader().read(first, [30, 3]), expected[[30, 3]])


def test_frames_of_long_files_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "KEPT_BYTES", 36 * 64 * 48)
    path = moving(tmp_path / "a.avi", B_FRAMES["b.avi"])
    assert timeline(path).count == 36
    assert not kept_frames(path)


def test_an_unexpected_order_of_frames_is_decoded_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = moving(tmp_path / "a.mp4", B_FRAMES["b.mp4"])
    expected = decode_from_start(path, range(36))
    # As if packets of reference frames were left out.
    monkeypatch.setattr(pyav_reader, "unreferenced_in", lambda codec: lambda packet: True)
    np.testing.assert_array_equal(PyAVReader().read(path, [0])[0], expected[0])
    monkeypatch.setattr(pyav_reader.Decoding, "_next_expected", lambda self, first: None)
    np.testing.assert_array_equal(PyAVReader().read(path, [20])[0], expected[20])


def test_damaged_frames_are_those_of_decoding_every_packet(tmp_path: Path) -> None:
    path = moving(tmp_path / "a.mp4", B_FRAMES["b.mp4"])
    with opened(path) as (container, stream):
        unreferenced = unreferenced_in(stream.codec_context)
        places = [
            (packet.pos, packet.size)
            for packet in container.demux(stream)
            if packet.size and not packet.is_keyframe and not unreferenced(packet)
        ]
    content = path.read_bytes()
    some = [2, 6, 11, 15, 20, 24, 29, 33]
    damaged = 0
    for position, size in places:
        middle = position + size // 2
        path.write_bytes(content[:middle] + b"\xff\x00\xa5" + content[middle + 3 :])
        with opened(path) as (container, stream):
            damaged += any(frame.is_corrupt for frame in container.decode(stream))
        np.testing.assert_array_equal(PyAVReader().read(path, some), decode_from_start(path, some))
    assert damaged >= 3
