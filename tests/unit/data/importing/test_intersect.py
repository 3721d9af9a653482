"""Shared videos of two annotation tables."""

from pathlib import Path

import pytest

from fsarbench.data.annotation_tables import read_table
from fsarbench.data.datasets.annotated import AnnotatedVideos
from fsarbench.data.importing.intersect import intersect
from fsarbench.errors import UserError

HEADER = "path,class,split,id,frames"
OURS = [
    "a/1.mp4,run,train,1,10",
    "a/2.mp4,run,train,2,11",
    "b/3.mp4,sit,val,3,12",
    "c/4.mp4,wave,test,4,13",
    "c/5.mp4,wave,test,5,14",
]
THEIRS = ["1.mp4,x,train,1,", "2.mp4,x,val,2,", "3.mp4,y,val,3,", "4.mp4,z,test,4,"]


def table(folder: Path, name: str, lines: list[str], header: str = HEADER) -> Path:
    file = folder / name
    file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return file


def test_rows_of_the_first_table_in_the_same_split(tmp_path: Path) -> None:
    out = tmp_path / "shared.csv"
    first, second = table(tmp_path, "a.csv", OURS), table(tmp_path, "b.csv", THEIRS)
    shared = intersect(first, second, out)
    assert [shared.count(split) for split in ("train", "val", "test")] == [1, 1, 1]
    assert shared.moved == ("2",)
    assert out.read_text().splitlines() == [HEADER, OURS[0], OURS[2], OURS[3]]
    assert (shared.first["test"], shared.second["test"]) == (2, 1)
    assert [row["class"] for row in read_table(out, ("path",))] == ["run", "sit", "wave"]


def test_without_ids_file_names_are_compared(tmp_path: Path) -> None:
    header = "path,class,split"
    lines = [",".join(line.split(",")[:3]) for line in OURS]
    moved = [line.replace("a/", "elsewhere/").replace(".mp4", ".avi") for line in lines]
    first = table(tmp_path, "a.csv", lines, header)
    shared = intersect(first, table(tmp_path, "b.csv", moved, header), tmp_path / "out.csv")
    assert len(shared.rows) == 5
    twice = table(tmp_path, "c.csv", [*lines, "d/1.mp4,run,train"], header)
    with pytest.raises(UserError, match=r"c\.csv, line 7: the video '1' occurs twice"):
        intersect(twice, first, tmp_path / "out.csv")


def test_tables_of_different_data_sets_are_refused(tmp_path: Path) -> None:
    other = [line.replace(",1,", ",x1,").replace(",2,", ",x2,") for line in OURS]
    with pytest.raises(UserError, match="share no train video"):
        intersect(
            table(tmp_path, "a.csv", OURS), table(tmp_path, "b.csv", other), tmp_path / "out.csv"
        )
    assert not (tmp_path / "out.csv").exists()


def test_missing_videos_count_as_listed(tmp_path: Path) -> None:
    table(tmp_path, "annotations.csv", OURS)
    data = AnnotatedVideos("mine", root=str(tmp_path))
    assert data.listed == 5
    (tmp_path / "annotations.missing.txt").write_text("6\n7\n")
    assert data.listed == 7
