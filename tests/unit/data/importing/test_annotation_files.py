"""Import of annotation files in the layouts of FineGym, Diving48 and Kinetics-400."""

import json
import sys
from pathlib import Path

import pytest

from fsarbench.cli.app import main
from fsarbench.cli.data_import import headline, remarks
from fsarbench.data.datasets.annotated import AnnotatedVideos
from fsarbench.data.importing.from_lists import Imported, import_annotations
from fsarbench.data.importing.known_lists import named_dataset
from fsarbench.errors import UserError
from tests.helpers.split_lists import rows, touch

CLASSES = "class,split,readable\n0,train,\n1,val,double salto\n3,test,leap with a turn\n"


def import_of(folder: Path, *files: str, name: str = "mine") -> Imported:
    return import_annotations(
        named_dataset(name),
        [folder / file for file in files],
        folder / "classes.csv",
        folder,
        progress=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "classes.csv").write_text(CLASSES)
    touch(tmp_path, (f"videos/v{n}.mp4" for n in range(8)))
    return tmp_path


def test_text_in_the_layout_of_finegym(folder: Path) -> None:
    (folder / "train.txt").write_text("v0 0\nv1 0\nv2 1\nv9 1\n")
    (folder / "val.txt").write_text("v3 3\nv4 3\nv5 2\n")
    imported = import_of(folder, "train.txt", "val.txt", name="finegym")
    assert imported.listed == (2, 2, 2)
    assert imported.found == (2, 1, 2)
    assert imported.missing == ("v9",)
    assert imported.unused == 1
    assert imported.nameless == ("0 (train)",)  # a number is no name
    table = rows(imported)
    assert [row["path"] for row in table] == [f"videos/v{n}.mp4" for n in range(5)]
    assert table[-1]["readable"] == "leap with a turn"
    assert headline(imported) == "finegym: 2/2/2; 1 video missing"
    assert "Annotated videos of classes in no split: 1." in list(remarks(imported))
    splits = AnnotatedVideos("finegym", str(folder), annotations="finegym.csv").splits()
    assert splits["test"].classes == ("3",)


def test_json_in_the_layout_of_diving48(folder: Path) -> None:
    items = [
        {"vid_name": f"v{n}", "label": label, "start_frame": 0, "end_frame": 200}
        for n, label in enumerate((0, 1, 3, 3))
    ]
    (folder / "train.json").write_text(json.dumps(items))
    imported = import_of(folder, "train.json")
    assert imported.found == (1, 1, 2)
    assert imported.missing == ()


def test_the_annotations_of_kinetics_find_files_with_and_without_times(folder: Path) -> None:
    (folder / "classes.csv").write_text(
        "class,split\nplaying harp,train\nyoga,val\nair drumming,test\n"
    )
    touch(folder, ["k/abc_000003_000013.mp4", "k/def.mp4", "k/ghi_000001_000011.mp4"])
    (folder / "k400.csv").write_text(
        "label,youtube_id,time_start,time_end,split\n"
        "playing harp,abc,3,13,train\nyoga,def,20,30,train\nair drumming,ghi,1,11,val\n"
    )
    imported = import_of(folder, "k400.csv")
    assert imported.missing == ()
    assert [row["id"] for row in rows(imported)] == ["abc", "def", "ghi"]
    assert rows(imported)[0]["readable"] == "playing harp"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", "{}", "a.json is not a list of objects"),
        ("a.json", "[", "cannot be read as JSON"),
        ("a.json", "[]", "lists no video"),
        ("a.csv", "name,class\nv0,0\n", "a.csv has none of id, video, path"),
        ("a.csv", "video,kind\nv0,0\n", "a.csv has none of class, label"),
        ("a.csv", "video,class\nv0,\n", "line 2: class is empty"),
        ("a.csv", "video,class\n../v0,0\n", "may not be absolute or contain"),
        ("a.csv", "id,class,time_start,time_end\nv0,0,x,3\n", "time_start is 'x'"),
        ("a.txt", "v0 0\nv1 0\n", "2 classes have no video in the annotation files ('1', '3')"),
        ("a.txt", "v0 0\nv0 1\nv2 3\n", "the video v0 is already listed"),
    ],
)
def test_a_faulty_file_is_named(folder: Path, name: str, content: str, message: str) -> None:
    (folder / name).write_text(content)
    with pytest.raises(UserError) as caught:
        import_of(folder, name)
    assert message in str(caught.value)


def test_splits_must_be_a_file_of_classes(folder: Path) -> None:
    (folder / "a.txt").write_text("v0 0\n")
    (folder / "classes.csv").unlink()
    (folder / "classes.csv").mkdir()
    with pytest.raises(UserError, match="the columns class and split"):
        import_of(folder, "a.txt")


def test_the_command_prints_how_to_use_the_table(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.txt").write_text("v0 0\nv2 1\nv3 3\n")
    options = ["--annotations", str(folder / "a.txt"), "--splits", str(folder / "classes.csv")]
    command = ["fsarbench", "data", "import", "gym", "--videos", str(folder), *options]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 0
    printed = capsys.readouterr().out
    assert "gym: 1/1/1; all videos found" in printed
    assert "(a class split)" in printed
    assert "fill in the column readable" in printed
    assert f"export FSARBENCH_GYM={folder}" in printed
    assert (folder / "gym.csv").is_file()


def test_a_name_has_to_fit_a_file_and_a_variable() -> None:
    with pytest.raises(UserError, match="letters, digits"):
        named_dataset("my set")
