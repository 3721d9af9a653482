"""Reader for extracted frames: order of the frames, and messages that name the file."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fsarbench.data.checking.examine import examine
from fsarbench.data.readers.decord_reader import DecordReader
from fsarbench.data.readers.frames_reader import FramesReader
from fsarbench.errors import UserError
from tests.helpers.damaged_videos import picture
from tests.helpers.video_files import write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "video"
    folder.mkdir()
    for number in range(12):
        Image.fromarray(picture(number, 24, 32)).save(folder / f"img_{number + 1:05d}.png")
    return folder


def fault(path: Path, indices: tuple[int, ...] = (0,), prefix: str | None = None) -> str:
    with pytest.raises(UserError) as caught:
        FramesReader(prefix).read(path, indices)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_frames_at_the_given_indices(folder: Path) -> None:
    assert FramesReader().count(folder) == 12
    frames = FramesReader().read(folder, [11, 0, 11])
    expected = np.stack([picture(number, 24, 32) for number in (11, 0, 11)])
    np.testing.assert_array_equal(frames, expected)


def test_frames_are_sorted_by_number_not_by_name(tmp_path: Path) -> None:
    for number in (9, 10, 11):
        Image.fromarray(picture(number, 8, 8)).save(tmp_path / f"frame{number}.PNG")
    frames = FramesReader().read(tmp_path, [0, 2])
    np.testing.assert_array_equal(frames, np.stack([picture(n, 8, 8) for n in (9, 11)]))


def test_optical_flow_in_the_same_folder_is_ignored(folder: Path) -> None:
    for number in range(11):
        Image.fromarray(picture(0, 8, 8)).save(folder / f"flow_x_{number + 1:05d}.png")
    assert FramesReader().count(folder) == 12
    assert FramesReader("flow_x_").count(folder) == 11
    for path in folder.glob("img_*"):
        path.rename(folder / path.name.replace("img_", "f_"))
    assert "reader.prefix" in fault(folder)
    assert "no extracted frames (such as g_00001.jpg)" in fault(folder, prefix="g_")


def test_faults_are_named(folder: Path, tmp_path: Path) -> None:
    assert "frame 12 was requested" in fault(folder, (0, 12))
    assert "is missing" in fault(tmp_path / "nowhere")
    assert "DecordReader" in fault(write(tmp_path / "a.mp4"))
    (folder / "img_00003.png").write_bytes(b"no picture")
    assert "img_00003.png" in fault(folder, (2,))
    assert examine(folder).reason.startswith("img_00003.png")
    (folder / "img_00003.png").unlink()
    assert "lacks frame 3 (it has 1 to 12)" in fault(folder)
    assert examine(folder).kind == "unreadable"


def test_frames_of_several_sizes_are_refused(folder: Path) -> None:
    Image.fromarray(picture(0, 8, 8)).save(folder / "img_00002.png")
    assert "several sizes" in fault(folder, (0, 1))


def test_other_readers_suggest_this_one_for_folders(folder: Path) -> None:
    with pytest.raises(UserError, match=r"reader\.type='FramesReader'"):
        DecordReader().count(folder)
