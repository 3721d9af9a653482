"""Import of your own videos: split files from a seed or a given file, and rejected input."""

import sys
from pathlib import Path

import pytest

from fsarbench.cli.app import main
from fsarbench.cli.data_import import shares_of
from fsarbench.data.datasets.video_folder import VideoFolder
from fsarbench.data.importing.from_folder import assign_splits, import_folder
from fsarbench.errors import UserError
from tests.helpers.split_lists import touch

CLASSES = [f"doThing{n:02d}" for n in range(25)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return touch(tmp_path / "mine", [f"{name}/{v}.mp4" for name in CLASSES for v in "ab"])


def fault(*args, **options) -> str:
    with pytest.raises(UserError) as caught:
        import_folder(*args, **options)
    return str(caught.value)


def test_the_split_file_has_all_classes(root: Path) -> None:
    imported = import_folder(root)
    splits = VideoFolder(str(root)).splits()
    assert [len(splits[s].classes) for s in ("train", "val", "test")] == [16, 3, 6]
    assert sorted(c for split in splits.values() for c in split.classes) == CLASSES
    assert splits["train"].readable[0].startswith("do Thing")
    assert imported.out == ()


def test_splits_depend_only_on_the_seed() -> None:
    first = assign_splits(CLASSES, 0, (64, 12, 24))
    assert first == assign_splits(CLASSES, 0, (64, 12, 24))
    assert first != assign_splits(CLASSES, 1, (64, 12, 24))
    # Pinned: splits have to be the same on every machine and in every version.
    assert [name[-2:] for name, split in first.items() if split == "val"] == ["04", "09", "24"]


@pytest.mark.parametrize(
    ("total", "shares", "counts"),
    [(3, (64, 12, 24), [1, 1, 1]), (100, (64, 12, 24), [64, 12, 24]), (4, (98, 1, 1), [2, 1, 1])],
)
def test_every_split_gets_classes(total: int, shares, counts: list[int]) -> None:
    splits = list(assign_splits([f"{n:03d}" for n in range(total)], 0, shares).values())
    assert [splits.count(s) for s in ("train", "val", "test")] == counts


def test_a_given_split_file_is_used(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(
        "class,split,readable\ndoThing03,test,waving\ndoThing02,val,\ndoThing01,train,\n"
    )
    imported = import_folder(root, splits=file)
    assert (root / "splits.csv").read_text() == (
        "class,split,readable\ndoThing03,test,waving\ndoThing02,val,do Thing02\n"
        "doThing01,train,do Thing01\n"
    )
    assert len(imported.out) == 22
    file.write_text("class,split\ndoThng03,test\ndoThing02,val\ndoThing01,train\n")
    assert "Did you mean 'doThing03'" in fault(root, splits=file, out=tmp_path / "x.csv")
    file.write_text("class,split\n../mine,test\ndoThing02,val\ndoThing01,train\n")
    assert "there is no folder of videos '../mine'" in fault(root, splits=file)


def test_a_different_split_file_is_not_overwritten(root: Path) -> None:
    import_folder(root)
    before = (root / "splits.csv").read_bytes()
    import_folder(root)
    assert "exists with other splits" in fault(root, seed=1)
    assert (root / "splits.csv").read_bytes() == before
    assert [path.name for path in root.iterdir() if path.is_file()] == ["splits.csv"]


def test_empty_folders_are_named_and_frame_folders_count_as_videos(root: Path) -> None:
    (root / "nothing").mkdir()
    touch(root, ["frames/one/img_00001.jpg", "frames/two/img_00001.jpg", ".hidden/x.mp4"])
    imported = import_folder(root)
    assert imported.out == ("nothing",)
    assert imported.videos["frames"] == 2
    videos = [v.id for s in VideoFolder(str(root)).splits().values() for v in s.videos]
    assert {"frames/one", "frames/two"} <= set(videos)


def test_invalid_folders_and_shares_are_rejected(root: Path, tmp_path: Path) -> None:
    assert "There is no folder" in fault(tmp_path / "nowhere")
    assert "0 class folders have videos" in fault(root / CLASSES[0])
    assert "need a share of 1 or more" in fault(root, shares=(1, 0, 1))
    touch(root, ["end /a.mp4"])
    assert "starts or ends with a space" in fault(root)
    with pytest.raises(UserError, match="such as 64/12/24"):
        shares_of("64-12-24")


def test_classes_outside_the_root_are_rejected(root: Path) -> None:
    (root / "splits.csv").write_text("class,split\n../mine/doThing03,test\n")
    with pytest.raises(UserError, match="no class is in the split train or val"):
        VideoFolder(str(root)).splits()
    (root / "splits.csv").write_text("class,split\n../mine/doThing03,test\na,val\nb,train\n")
    with pytest.raises(UserError, match=r"line 2.*'\.\.'"):
        VideoFolder(str(root)).splits()


def test_the_command_prints_counts_and_config(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["fsarbench", "data", "import", "folder", str(root)])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 0
    output = capsys.readouterr().out
    assert "train: 16 classes, 32 videos" in output
    assert f"root='{root}'" in output


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["folder"], "import folder DIR"),
        (["ssv2", "--videos", "x"], "--splits DIR --videos DIR"),
        (["hmbd51"], "Did you mean 'hmdb51'"),
    ],
)
def test_missing_options_end_with_status_2_and_a_message(
    args: list[str], part: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["fsarbench", "data", "import", *args])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2
    assert part in capsys.readouterr().err
