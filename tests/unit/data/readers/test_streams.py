"""Video streams: choice of the stream, number of frames, and the start of decoding."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from fsarbench.config.build import build_reader
from fsarbench.data.checking.check_videos import Entry, find_faults
from fsarbench.data.checking.examine import examine
from fsarbench.data.frame_store.index import Stored, StoreSettings, write_index, write_settings
from fsarbench.data.frame_store.writer import StoreWriter
from fsarbench.data.importing.video_finder import probe
from fsarbench.data.readers import pyav_reader
from fsarbench.data.readers.decord_reader import DecordReader
from fsarbench.data.readers.pyav_reader import PyAVReader, decode_from_start
from fsarbench.data.readers.store_reader import StoreReader
from fsarbench.data.readers.streams import opened, timeline
from fsarbench.errors import UserError
from fsarbench.video import VideoReader
from tests.helpers.all_readers import READERS
from tests.helpers.packed_avi import packed_avi
from tests.helpers.video_files import KINDS, write

SEEKING = {
    **{name: kind for name, kind in KINDS.items() if not name.endswith(".avi")},
    "hevc.mp4": ("libx265", {"x265-params": "keyint=12:open-gop=1:bframes=4:log-level=none"}),
    "vp8.webm": ("libvpx", {"g": "10", "auto-alt-ref": "1", "lag-in-frames": "16"}),
    "vp9.webm": ("libvpx-vp9", {"g": "10", "auto-alt-ref": "1", "lag-in-frames": "16"}),
}


@pytest.mark.parametrize("reader", READERS)
def test_packets_without_a_frame_are_not_counted(
    reader: Callable[[], VideoReader], tmp_path: Path
) -> None:
    path = packed_avi(tmp_path / "a.avi")
    frames = reader().read(path, range(reader().count(path)))
    with av.open(str(path)) as container:
        expected = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(expected) == 30
    np.testing.assert_array_equal(frames, np.stack(expected))
    with pytest.raises(UserError, match="30 frames"):
        reader().read(path, [30])


def test_check_import_and_store_count_decodable_frames(tmp_path: Path) -> None:
    path = packed_avi(tmp_path / "a.avi")
    facts = examine(path)
    assert (facts.kind, facts.frames) == ("", 30)
    assert find_faults([Entry("a.avi", "")], {"a.avi": facts}, 8) == []
    assert probe(path).frames == "30"
    writer = StoreWriter(PyAVReader(), tmp_path, tmp_path / "store", StoreSettings(None, "raw"))
    stored = writer("a.avi")
    assert isinstance(stored, Stored)
    write_index(writer.store, {"a.avi": stored})
    write_settings(writer.store, writer.settings)
    reader = StoreReader(str(writer.store))
    assert reader.count(path) == 30
    np.testing.assert_array_equal(reader.read(path, range(30)), PyAVReader().read(path, range(30)))


def image_stream_first(path: Path) -> Path:
    """Write a Matroska file with a single image as first stream and a video as second."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mjpeg", rate=12)
        picture.width, picture.height, picture.pix_fmt = 96, 96, "yuvj420p"
        video = container.add_stream("libx264", rate=12)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        image = np.zeros((96, 96, 3), np.uint8)
        container.mux(picture.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        for number in range(24):
            image = np.full((48, 64, 3), 5 * number + 20, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(video.encode())
        container.mux(picture.encode())
    return path


def test_the_best_stream_is_read_everywhere(tmp_path: Path) -> None:
    path = image_stream_first(tmp_path / "a.mkv")
    assert PyAVReader().count(path) == timeline(path).count == examine(path).frames == 24
    assert PyAVReader().read(path, [0, 23]).shape == (2, 48, 64, 3)
    assert probe(path).size == "64x48"
    with pytest.raises(UserError, match=r"a\.mkv.*several video streams.*PyAVReader"):
        DecordReader().count(path)


@pytest.mark.parametrize("name", SEEKING)
def test_seeking_returns_the_frames_of_decoding_from_the_start(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / name, kind=SEEKING[name])
    expected = decode_from_start(path, range(40))
    monkeypatch.setattr(pyav_reader, "decode_from_start", None)  # must not be called
    assert len(timeline(path).keys) > 1
    for index in range(40):
        np.testing.assert_array_equal(PyAVReader().read(path, [index])[0], expected[index])
    some = [39, 3, 3, 17, 24]
    np.testing.assert_array_equal(PyAVReader().read(path, some), expected[some])


def test_intra_refresh_is_decoded_from_the_start(tmp_path: Path) -> None:
    kind = ("libx264", {"g": "12", "bf": "0", "x264-params": "intra-refresh=1"})
    path = write(tmp_path / "a.mp4", kind=kind)
    expected = decode_from_start(path, range(40))
    for index in range(40):
        np.testing.assert_array_equal(PyAVReader().read(path, [index])[0], expected[index])


def test_pyav_is_the_default() -> None:
    assert isinstance(build_reader({}), PyAVReader)


def test_an_error_that_names_the_file_is_not_wrapped_again(tmp_path: Path) -> None:
    file = write(tmp_path / "a.mp4")
    error = UserError("mine")
    with pytest.raises(UserError) as raised, opened(file):
        raise error
    assert raised.value is error
