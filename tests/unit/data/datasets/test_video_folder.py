"""Your own videos: splits from class folders and a split file, and messages about faults."""

from pathlib import Path

import pytest

from fsarbench.data.datasets.video_folder import VideoFolder
from fsarbench.errors import UserError

SPLITS = "class,split\nThrowDiscus,train\nbrush_hair,val\nwave,test\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("ThrowDiscus", "brush_hair", "wave", "not_listed"):
        (tmp_path / name).mkdir()
        for file in ("b.MP4", "a.avi", "notes.txt"):
            (tmp_path / name / file).touch()
    (tmp_path / "splits.csv").write_text(SPLITS)
    return tmp_path


def fault(root: Path, table: str | None = None) -> str:
    """Error message for the folder, after writing `table` as its split file if given."""
    if table is not None:
        (root / "splits.csv").write_text(table)
    with pytest.raises(UserError) as caught:
        VideoFolder(str(root)).splits()
    return str(caught.value)


def test_classes_and_videos_are_found(root: Path) -> None:
    splits = VideoFolder(str(root)).splits()
    assert splits["train"].classes == ("ThrowDiscus",)
    assert splits["train"].readable == ("throw discus",)
    assert splits["val"].readable == ("brush hair",)
    assert [video.id for video in splits["test"].videos] == ["wave/a.avi", "wave/b.MP4"]
    assert splits["test"].videos[0].path == root / "wave" / "a.avi"


def test_readable_names_can_be_given(root: Path) -> None:
    (root / "mine.csv").write_text(
        "class, split, readable\nThrowDiscus, train,\nbrush_hair,val,brushing hair\nwave,test,\n"
    )
    splits = VideoFolder(str(root), "mine.csv").splits()
    assert splits["val"].readable == ("brushing hair",)
    assert splits["train"].readable == ("throw discus",)


def test_the_split_file_may_be_outside_the_root(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("lists") / "s.csv"
    elsewhere.write_text(SPLITS)
    (root / "splits.csv").unlink()
    assert set(VideoFolder(str(root), str(elsewhere)).splits()) == {"train", "val", "test"}


def test_the_root_may_contain_an_environment_variable(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_VIDEOS", str(root.parent))
    assert VideoFolder(f"$MY_VIDEOS/{root.name}").splits()["test"].classes == ("wave",)
    monkeypatch.delenv("MY_VIDEOS")
    with pytest.raises(UserError, match="the environment variable MY_VIDEOS is not set"):
        VideoFolder("$MY_VIDEOS/x").splits()


def test_the_fingerprint_depends_on_the_splits_not_on_the_path(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = VideoFolder(str(root)).fingerprint()
    moved = tmp_path_factory.mktemp("other") / "videos"
    root.rename(moved)
    assert VideoFolder(str(moved)).fingerprint() == before
    (moved / "splits.csv").write_text(SPLITS.replace("wave,test", "not_listed,test"))
    assert VideoFolder(str(moved)).fingerprint() != before


def test_a_missing_root_is_named(tmp_path: Path) -> None:
    text = fault(tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in text
    assert "dataset.root" in text


def test_a_missing_split_file_is_described(root: Path) -> None:
    (root / "splits.csv").unlink()
    text = fault(root)
    assert str(root / "splits.csv") in text
    assert "class,split" in text


@pytest.mark.parametrize(
    ("table", "parts"),
    [
        (SPLITS.replace("wave", "waves"), ["line 4", "'waves'", "Did you mean 'wave'?"]),
        (SPLITS.replace("test", "tset"), ["line 4", "'tset'", "Did you mean 'test'?"]),
        (SPLITS.replace("wave,test", "wave,"), ["line 4", "column split is empty"]),
        (SPLITS.replace("class", "name"), ["class is missing", "found: name, split"]),
        (SPLITS.replace("brush_hair,val\n", ""), ["no class is in the split val"]),
        (SPLITS + "wave,train\n", ["line 5", "'wave'", "test at", "line 4"]),
        ("class,split\n", ["no row after"]),
        ("", ["class, split", "found: nothing"]),
    ],
)
def test_faults_of_the_split_file_are_reported_with_their_line(
    root: Path, table: str, parts: list[str]
) -> None:
    text = fault(root, table)
    for part in ["splits.csv", *parts]:
        assert part in text


def test_a_split_file_that_is_not_text_is_named(root: Path) -> None:
    (root / "splits.csv").write_bytes(b"\xff\xfe\x00\x80")
    assert "splits.csv cannot be read as CSV" in fault(root)


def test_an_empty_class_is_named(root: Path) -> None:
    for path in (root / "wave").glob("*.[aM]*"):
        path.unlink()
    text = fault(root)
    assert "'wave' is empty" in text
    assert ".webm" in text
