"""Video readers: same frames at the same indices, and errors that name the file."""

import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from fsarbench.data.readers.decord_reader import DecordReader
from fsarbench.errors import UserError
from fsarbench.video import VideoReader
from tests.helpers.all_readers import OTHERS, READERS
from tests.helpers.video_files import KINDS, write


def frame_numbers(frames: np.ndarray) -> list[int]:
    """Frame number of each image, encoded in its grey value."""
    return [round((float(image[16:, 16:].mean()) - 20) / 5) for image in frames]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for name, kind in KINDS.items():
        write(folder / name, kind=kind)
    return folder


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("reader", READERS)
def test_every_index_returns_its_frame(
    reader: Callable[[], VideoReader], name: str, folder: Path
) -> None:
    indices = [2, 7, 12, 17, 22, 27, 32, 37]
    assert reader().count(folder / name) == 40
    assert frame_numbers(reader().read(folder / name, indices)) == indices


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("reader", OTHERS)
def test_all_readers_return_the_same_frames(
    reader: Callable[[], VideoReader], name: str, folder: Path
) -> None:
    indices = [0, 3, 3, 39, 20]
    frames = DecordReader().read(folder / name, indices)
    assert frames.shape == (5, 48, 64, 3)
    assert frames.dtype == np.uint8
    np.testing.assert_array_equal(frames, reader().read(folder / name, indices))


@pytest.mark.parametrize("reader", READERS)
def test_order_and_repeats_are_kept(reader: Callable[[], VideoReader], folder: Path) -> None:
    assert frame_numbers(reader().read(folder / "bframes.mp4", [30, 1, 30])) == [30, 1, 30]


def damaged(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.mp4"
    if kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("no video at all " * 50)
    elif kind == "half":
        path.write_bytes((folder / "intra.mp4").read_bytes()[:2000])
    elif kind == "sound":
        _sound(path)
    return path


def _sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("missing", "is missing"),
        ("empty", "is empty"),
        ("text", "cannot be decoded"),
        ("half", "cannot be decoded"),
        ("sound", "cannot be decoded"),
    ],
)
@pytest.mark.parametrize("reader", READERS)
def test_a_bad_file_is_named(
    reader: Callable[[], VideoReader], kind: str, expected: str, folder: Path
) -> None:
    path = damaged(folder, kind)
    for attempt in (reader().count, lambda path: reader().read(path, [0])):
        with pytest.raises(UserError, match=expected) as caught:
            attempt(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("index", [40, -1])
@pytest.mark.parametrize("reader", READERS)
def test_an_index_out_of_range_is_an_error(
    reader: Callable[[], VideoReader], index: int, folder: Path
) -> None:
    with pytest.raises(UserError, match=rf"bframes.mp4 has .* frame {index} was requested"):
        reader().read(folder / "bframes.mp4", [0, index])


def test_without_decord_the_message_suggests_pyav(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "decord", None)
    with pytest.raises(UserError, match=r"reader\.type='PyAVReader'"):
        DecordReader().count(folder / "intra.mp4")
