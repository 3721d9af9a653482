"""Data set `SynthAct`: splits, fingerprint and arguments."""

from pathlib import Path

import pytest

from fsarbench.data.datasets.synthetic import SynthAct
from fsarbench.errors import UserError
from fsarbench.registry import DATASETS


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSARBENCH_DATA", str(tmp_path))


def test_splits_have_the_actions_and_their_files() -> None:
    data = SynthAct(train_videos=1, val_videos=1, test_videos=2, workers=1)
    splits = data.splits()
    assert {name: len(split.classes) for name, split in splits.items()} == {
        "train": 64,
        "val": 12,
        "test": 24,
    }
    assert len(splits["test"].videos) == 48
    assert all(video.path.stat().st_size > 0 for video in splits["test"].videos)
    assert [video.label for video in splits["test"].videos[:4]] == [0, 0, 1, 1]
    names = [name for split in splits.values() for name in split.classes]
    assert len(set(names)) == 100
    assert data.fingerprint() == data.fingerprint()


def test_constructor_renders_nothing(tmp_path: Path) -> None:
    SynthAct()
    assert list(tmp_path.iterdir()) == []


def test_zero_videos_per_class_are_rejected() -> None:
    with pytest.raises(UserError, match="val_videos is 0"):
        SynthAct(val_videos=0)


def test_synthact_is_registered() -> None:
    assert DATASETS.find("SynthAct") is SynthAct
