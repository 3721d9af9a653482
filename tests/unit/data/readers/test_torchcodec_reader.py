"""`TorchCodecReader`: files that torchcodec or PyAV decodes, and messages without torchcodec."""

import pickle
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
import torch

from fsarbench.data.readers import torchcodec_reader
from fsarbench.data.readers.decord_reader import DecordReader
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.data.readers.torchcodec_reader import TorchCodecReader
from fsarbench.errors import UserError
from fsarbench.video import VideoReader
from tests.helpers.all_readers import needs_torchcodec
from tests.helpers.video_files import KINDS, write


def test_without_torchcodec_the_message_names_the_extra_and_pyav(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.mp4")
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    for attempt in (TorchCodecReader().count, lambda path: TorchCodecReader().read(path, [0])):
        with pytest.raises(UserError, match=r"fsarbench\[torchcodec\].*FFmpeg.*'PyAVReader'"):
            attempt(path)


def test_without_ffmpeg_the_message_does_not_blame_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoders = SimpleNamespace(VideoDecoder=None)  # imported without an error, but unusable
    package = SimpleNamespace(ffmpeg_major_version=None, decoders=decoders)
    monkeypatch.setitem(sys.modules, "torchcodec", package)
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", decoders)
    with pytest.raises(UserError, match=r"no supported version of FFmpeg.*'PyAVReader'"):
        TorchCodecReader().count(write(tmp_path / "a.mp4"))


@pytest.fixture
def no_pyav(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `PyAVReader.read` fail, so that frames can only come from torchcodec."""

    def fail(reader: PyAVReader, path: Path, indices: object) -> None:
        raise AssertionError(f"PyAV read {path.name}")

    monkeypatch.setattr(PyAVReader, "read", fail)


@needs_torchcodec
@pytest.mark.usefixtures("no_pyav")
@pytest.mark.parametrize("name", [name for name in KINDS if not name.endswith(".avi")])
def test_torchcodec_decodes_files_with_time_stamps(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, kind=KINDS[name])
    frames = TorchCodecReader().read(path, [39, 0, 17])
    np.testing.assert_array_equal(frames, DecordReader().read(path, [39, 0, 17]))


@needs_torchcodec
@pytest.mark.usefixtures("no_pyav")
@pytest.mark.parametrize("name", ["xvid.avi", "no_time_stamps.avi"])
def test_pyav_decodes_files_without_time_stamps(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, kind=KINDS[name])
    with pytest.raises(AssertionError, match="PyAV read"):
        TorchCodecReader().read(path, [0])


@needs_torchcodec
def test_frames_with_equal_time_stamps_are_read_exactly(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.mkv", kind=KINDS["intra.mp4"])
    path = repacked(whole, tmp_path / "b.mkv", lambda pts: pts // 500 * 500)
    assert TorchCodecReader().count(path) == 40
    indices = [39, 4, 10, 23]
    expected = DecordReader().read(whole, indices)
    np.testing.assert_array_equal(TorchCodecReader().read(path, indices), expected)


def test_frames_with_an_unexpected_time_stamp_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class LateDecoder:
        """Decoder that returns the next frame, like torchcodec if one cannot be decoded."""

        def __init__(self, path: str, **options: object) -> None:
            self.path = Path(path)

        def __len__(self) -> int:
            return 40

        def get_frames_at(self, indices: list[int]) -> SimpleNamespace:
            later = [index + 1 for index in indices]
            seconds = torch.tensor(later, dtype=torch.float64) / 12
            frames = torch.from_numpy(DecordReader().read(self.path, later))
            return SimpleNamespace(pts_seconds=seconds, data=frames)

    monkeypatch.setattr(torchcodec_reader, "_video_decoder", lambda: LateDecoder)
    path = write(tmp_path / "a.mp4")
    expected = DecordReader().read(path, [3, 7])
    np.testing.assert_array_equal(TorchCodecReader().read(path, [3, 7]), expected)


@pytest.mark.parametrize(
    "reader", [PyAVReader(), pytest.param(TorchCodecReader(), marks=needs_torchcodec)]
)
def test_frames_dropped_by_an_edit_list_are_not_counted(
    reader: VideoReader, tmp_path: Path
) -> None:
    whole = write(tmp_path / "whole.mp4", kind=KINDS["bframes.mp4"])
    path = repacked(whole, tmp_path / "cut.mp4", lambda pts: pts, late=15)
    frames = reader.read(path, range(reader.count(path)))
    expected = DecordReader().read(whole, range(15, 40))
    np.testing.assert_array_equal(frames, expected)


@needs_torchcodec
def test_a_pickled_reader_works(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4")
    reader = TorchCodecReader(threads=2)
    reader.read(path, [0])
    copy = pickle.loads(pickle.dumps(reader))
    assert copy.threads == 2
    np.testing.assert_array_equal(copy.read(path, [3]), reader.read(path, [3]))


def repacked(source: Path, path: Path, stamp: Callable[[int], int], late: int = 0) -> Path:
    """Copy a video with other time stamps and an edit list that starts at frame `late`."""
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        video = old.streams.video[0]
        stream = new.add_stream_from_template(video)
        start = round(Fraction(late, 12) / video.time_base)
        for packet in old.demux(video):
            if packet.dts is None:
                continue
            packet.pts, packet.dts = stamp(packet.pts) - start, stamp(packet.dts) - start
            packet.stream = stream
            new.mux(packet)
    return path
