"""Data sets with an annotation table: splits, fingerprint, and messages about missing videos."""

import os
from pathlib import Path

import pytest

from fsarbench.data.datasets.annotated import AnnotatedVideos
from fsarbench.errors import UserError

TABLE = "path,class,split\nv/1.webm,Moving up,train\nv/2.webm,Dropping,val\n3.webm,Poking,test\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "v").mkdir()
    for name in ("v/1.webm", "v/2.webm", "3.webm"):
        (tmp_path / name).touch()
    (tmp_path / "annotations.csv").write_text(TABLE)
    return tmp_path


def ssv2(root: str | None) -> AnnotatedVideos:
    return AnnotatedVideos("ssv2", root, source="Something-Something V2, Qualcomm's developer site")


def fault(root: str | None) -> str:
    with pytest.raises(UserError) as caught:
        ssv2(root).splits()
    return str(caught.value)


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FSARBENCH_SSV2", raising=False)


def test_videos_are_listed(root: Path) -> None:
    splits = ssv2(str(root)).splits()
    assert splits["train"].videos[0].path == root / "v/1.webm"
    assert splits["train"].videos[0].id == "v/1.webm"
    assert splits["test"].classes == ("Poking",)
    assert splits["train"].readable == ("moving up",)


def test_environment_variable_sets_the_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSARBENCH_SSV2", str(root))
    assert ssv2(None).fingerprint() == ssv2(str(root)).fingerprint()


def test_message_names_the_keys_and_the_source(tmp_path: Path) -> None:
    for text in (fault(None), fault(str(tmp_path / "x")), fault(str(tmp_path))):
        for part in ("FSARBENCH_SSV2", "dataset.root", "Qualcomm's developer site", "path,class"):
            assert part in text
    assert str(tmp_path / "x") in fault(str(tmp_path / "x"))
    assert str(tmp_path / "annotations.csv") in fault(str(tmp_path))


def test_missing_videos_are_counted_and_the_first_is_named(root: Path) -> None:
    (root / "v" / "2.webm").unlink()
    (root / "3.webm").unlink()
    text = fault(str(root))
    assert "2 of the 3 videos" in text
    assert "v/2.webm" in text


def test_videos_of_a_missing_folder_are_counted(root: Path) -> None:
    (root / "annotations.csv").write_text(TABLE.replace("v/1.webm", "w/1.webm"))
    assert "1 of the 3 videos" in fault(str(root))


def test_a_video_listed_twice_is_rejected(root: Path) -> None:
    (root / "annotations.csv").write_text(TABLE + "3.webm,Poking,test\n")
    text = fault(str(root))
    assert "line 5" in text
    assert "3.webm is already listed" in text


def test_a_class_in_two_splits_is_rejected(root: Path) -> None:
    (root / "annotations.csv").write_text(TABLE + "4.webm,Poking,train\n")
    assert "'Poking' is in the split train, but in test" in fault(str(root))


def test_folders_are_listed_once_for_splits_and_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split_by_video = {"a.mp4": "train", "b.mp4": "val", "c.mp4": "test"}
    lines = [f"{name},{split}-class,{split}" for name, split in split_by_video.items()]
    for name in split_by_video:
        (tmp_path / name).touch()
    (tmp_path / "t.csv").write_text("\n".join(["path,class,split", *lines, ""]))
    listed: list[Path] = []
    scandir = os.scandir

    def spy(path: Path):
        listed.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", spy)
    dataset = AnnotatedVideos("mine", str(tmp_path), annotations="t.csv")
    dataset.splits()
    dataset.fingerprint()
    assert listed == [tmp_path]
