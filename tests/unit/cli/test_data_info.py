"""Table of a data set and contact sheet of its clips."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fsarbench.cli.app import main
from fsarbench.data.contact_sheet import contact_sheet, sample_videos
from fsarbench.data.datasets.video_folder import VideoFolder
from fsarbench.data.readers.pyav_reader import PyAVReader
from tests.helpers.damaged_videos import make


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "mine"
    for name in ("a手", "b", "c", "d"):
        (root / name).mkdir(parents=True)
        make(root / name / "1.mp4")
        make(root / name / "2.mp4", count=12)
    (root / "splits.csv").write_text("class,split\na手,train\nb,train\nc,val\nd,test\n")
    return root


def run(monkeypatch: pytest.MonkeyPatch, *args: str) -> int:
    monkeypatch.setattr(sys, "argv", ["fsarbench", "data", "info", *args])
    monkeypatch.setenv("COLUMNS", "160")
    with pytest.raises(SystemExit) as exit_:
        main()
    return int(exit_.value.code or 0)


def test_table_and_contact_sheet(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, str(root), "--sheet", str(tmp_path / "s.png")) == 0
    output = capsys.readouterr().out
    train = next(line for line in output.splitlines() if "train" in line)
    assert [cell.strip() for cell in train.split("│")[2:5]] == ["2", "4", "2 / 2 / 2"]
    assert "64x48" in train
    with Image.open(tmp_path / "s.png") as sheet:
        # Four rows of eight frames of 96 x 128 pixels, with the names on the left.
        assert sheet.size == (220 + 8 * 132, 4 * 100)
        red = np.asarray(sheet.convert("RGB"))[10, 225].astype(int)
    assert red[0] > 200 > red[1] + 100


def test_an_unreadable_video_is_named_and_left_blank(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in (root / "c").iterdir():
        file.write_text("nothing")
    assert run(monkeypatch, str(root), "--sheet", str(tmp_path / "s.png")) == 0
    assert f"{root / 'c'}" in capsys.readouterr().out
    with Image.open(tmp_path / "s.png") as sheet:
        assert (np.asarray(sheet)[200:300, 220:] == 255).all()


def test_the_same_seed_draws_the_same_clips(root: Path) -> None:
    splits = VideoFolder(str(root)).splits()
    first, faults = contact_sheet(splits, PyAVReader(), classes=5, frames=4, seed=3)
    second, _ = contact_sheet(splits, PyAVReader(), classes=5, frames=4, seed=3)
    assert first.tobytes() == second.tobytes()
    assert faults == []
    assert len(sample_videos(splits["train"], 1, 0)) == 1
    drawn = {sample_videos(splits["train"], 2, seed)[0].id for seed in range(20)}
    assert drawn == {"a手/1.mp4", "a手/2.mp4"}


def test_a_sheet_that_cannot_be_written_is_rejected(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, str(root), "--sheet", str(tmp_path / "no" / "s.png")) == 2
    assert run(monkeypatch, str(root), "--sheet", str(tmp_path / "sheet.txt")) == 2
    assert "--sheet" in capsys.readouterr().err
