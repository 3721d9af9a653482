"""`data check`: the list of bad videos, its journal, and data sets that leave bad videos out."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fsarbench.cli.app import main
from fsarbench.data.annotation_tables import bad_list_path
from fsarbench.data.checking.check_videos import (
    CheckSettings,
    Entry,
    check_videos,
    examine_all,
    find_faults,
)
from fsarbench.data.checking.journal import Facts, journal, read_journal
from fsarbench.data.datasets.annotated import AnnotatedVideos
from fsarbench.data.datasets.video_folder import VideoFolder
from fsarbench.data.readers.decord_reader import DecordReader
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.errors import UserError
from fsarbench.video import VideoReader
from tests.helpers.damaged_videos import make

READERS: list[Callable[[], VideoReader]] = [DecordReader, PyAVReader]
QUIET = CheckSettings(progress=False)


def write_table(folder: Path, files: dict[str, str]) -> None:
    """Write an annotation table with the given split of each file."""
    lines = [f"{name},{split}-class,{split}" for name, split in files.items()]
    (folder / "t.csv").write_text("\n".join(["path,class,split", *lines, ""]))


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    # x264 with look-ahead does not always write the same frames twice; this codec does.
    make(tmp_path / "a.mp4", codec="mpeg4")
    make(tmp_path / "b.mp4", count=21)
    make(tmp_path / "short.mp4", count=5)
    make(tmp_path / "c.mp4", count=22)
    make(tmp_path / "leak.mkv", codec="mpeg4")
    (tmp_path / "bad.mp4").write_text("nothing")
    write_table(
        tmp_path,
        {
            "a.mp4": "train", "bad.mp4": "train", "none.mp4": "train", "b.mp4": "val",
            "short.mp4": "test", "c.mp4": "test", "leak.mkv": "test",
        },
    )  # fmt: skip
    return tmp_path


def dataset(root: Path, on_bad_video: str = "error") -> AnnotatedVideos:
    return AnnotatedVideos("mine", str(root), annotations="t.csv", on_bad_video=on_bad_video)


def check(root: Path) -> list[tuple[str, str, str]]:
    entries = [Entry(path, split) for split, path in dataset(root).entries()]
    faults = check_videos(root, entries, bad_list_path(root / "t.csv"), QUIET)
    return [(fault.entry.path, fault.kind, fault.reason) for fault in faults]


def test_the_list_has_every_fault(mixed: Path) -> None:
    assert check(mixed) == [
        ("a.mp4", "leak", "the same frames as leak.mkv (test)"),
        ("bad.mp4", "unreadable", "Invalid data found when processing input"),
        ("none.mp4", "missing", "No such file or directory"),
        ("short.mp4", "short", "5 frames; a clip needs 8"),
        ("leak.mkv", "leak", "the same frames as a.mp4 (train)"),
    ]
    with bad_list_path(mixed / "t.csv").open(newline="") as file:
        rows = {row["path"]: row["skip"] for row in csv.DictReader(file)}
    assert rows == {
        "a.mp4": "no", "bad.mp4": "yes", "none.mp4": "yes", "short.mp4": "no", "leak.mkv": "no"
    }  # fmt: skip


def test_bad_videos_are_skipped_counted_and_named(mixed: Path) -> None:
    with pytest.raises(UserError, match="1 of the 7 videos"):
        dataset(mixed).splits()
    with pytest.raises(UserError, match="fsarbench data check"):
        dataset(mixed, "skip").splits()
    check(mixed)
    skipping = dataset(mixed, "skip")
    assert [v.id for v in skipping.splits()["train"].videos] == ["a.mp4"]
    assert dict(skipping.skipped) == {
        "bad.mp4": "unreadable: Invalid data found when processing input",
        "none.mp4": "missing: No such file or directory",
    }
    assert dataset(mixed).skipped == {}


def test_without_bad_videos_nothing_is_skipped(mixed: Path) -> None:
    write_table(mixed, {"a.mp4": "train", "b.mp4": "val", "c.mp4": "test"})
    assert check(mixed) == []
    assert dataset(mixed, "skip").skipped == {}
    assert dataset(mixed, "skip").fingerprint() == dataset(mixed).fingerprint()


def test_video_folder_skips_bad_videos(tmp_path: Path) -> None:
    for number, name in enumerate(("x", "y", "z")):
        (tmp_path / name).mkdir()
        make(tmp_path / name / "1.mp4", count=20 + number)
    (tmp_path / "z" / "2.mp4").touch()
    (tmp_path / "splits.csv").write_text("class,split\nx,train\ny,val\nz,test\n")
    folder = VideoFolder(str(tmp_path), on_bad_video="skip")
    entries = [Entry(path, split) for split, path in folder.entries()]
    check_videos(tmp_path, entries, bad_list_path(folder.table), QUIET)
    assert [v.id for v in folder.splits()["test"].videos] == ["z/1.mp4"]
    assert list(folder.skipped) == ["z/2.mp4"]


def test_paths_outside_the_root_are_rejected(mixed: Path) -> None:
    for path in ("../a.mp4", "x/../../a.mp4", "/etc/passwd"):
        write_table(mixed, {path: "train", "b.mp4": "val", "c.mp4": "test"})
        with pytest.raises(UserError, match=r"line 2.*may not be absolute"):
            dataset(mixed).splits()


def test_edited_skip_values_are_read_and_validated(mixed: Path) -> None:
    check(mixed)
    file = bad_list_path(mixed / "t.csv")
    file.write_text(file.read_text().replace("leak,no", "leak,yes"))
    assert "leak.mkv" in dataset(mixed, "skip").skipped
    file.write_text(file.read_text().replace("leak,yes", "leak,maybe"))
    with pytest.raises(UserError, match=r"line 2: skip is 'maybe'"):
        dataset(mixed, "skip").splits()


def test_a_second_check_examines_only_changed_videos(
    mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = check(mixed)
    examined: list[str] = []

    def spy(paths, workers, limit):
        examined.extend(path.name for path in paths)
        return examine_all(paths, workers, limit)

    monkeypatch.setattr("fsarbench.data.checking.check_videos.examine_all", spy)
    assert check(mixed) == first
    assert examined == ["none.mp4"]
    make(mixed / "none.mp4", count=23)
    make(mixed / "a.mp4", count=24)
    examined.clear()
    assert [path for path, _, _ in check(mixed)] == ["bad.mp4", "short.mp4"]
    assert examined == ["a.mp4", "none.mp4"]


def test_incomplete_lines_of_the_journal_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with journal(path) as append:
        append("a", Facts("1", 3))
    path.write_bytes(path.read_bytes() + b'["b", {"sta')
    with journal(path) as append:
        append("c", Facts("2", 4))
    assert read_journal(path) == {"a": Facts("1", 3), "c": Facts("2", 4)}


def test_a_killed_and_resumed_check_writes_the_same_list(mixed: Path) -> None:
    expected = check(mixed)
    file = bad_list_path(mixed / "t.csv")
    content = file.read_bytes()
    file.unlink()
    file.with_suffix(".jsonl").unlink()
    command = [
        sys.executable, "-m", "fsarbench", "data", "check", "ssv2", "--workers", "1", "--quiet",
        "--set", f"dataset.root={mixed}", "--set", "dataset.annotations=t.csv",
    ]  # fmt: skip
    with subprocess.Popen(command, start_new_session=True) as process:
        while not read_journal(file.with_suffix(".jsonl")) and process.poll() is None:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
    assert len(read_journal(file.with_suffix(".jsonl"))) >= 1
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "leak: a.mp4 (train): the same frames as leak.mkv (test)" in done.stdout
    assert file.read_bytes() == content
    assert check(mixed) == expected


def test_videos_without_split_with_the_same_frames_are_duplicates() -> None:
    entries = [Entry("a", ""), Entry("b", ""), Entry("c", "")]
    facts = {"a": Facts("", 9, 0, "x"), "b": Facts("", 9, 0, "x"), "c": Facts("", 9, 0, "y")}
    faults = [(fault.entry.path, fault.kind) for fault in find_faults(entries, facts, 8)]
    assert faults == [("a", "duplicate"), ("b", "duplicate")]


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["check", "ssv3"], "Did you mean 'ssv2'"),
        (["check", "ssv2", "--workers", "0", "--set", "dataset.root=."], "annotations"),
        (["check", "ssv2", "--set", "dataset.rot=."], "Did you mean 'root'"),
    ],
)
def test_invalid_options_end_with_status_2_and_a_message(
    args: list[str], part: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["fsarbench", "data", *args])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2
    assert part in capsys.readouterr().err
