"""Bad and odd files: each is reported by name and reason; nothing crashes, hangs or is dropped."""

import csv
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from fsarbench.cli import main
from fsarbench.data.bad_videos import bad_file
from fsarbench.data.checking import pool
from fsarbench.data.checking.check import CheckSettings, check_videos
from fsarbench.data.checking.examine import examine
from fsarbench.data.checking.facts import Facts, journal, read_journal
from fsarbench.data.checking.pool import examine_all
from fsarbench.data.checking.verdicts import Entry, judge
from fsarbench.data.datasets.annotated import AnnotatedVideos
from fsarbench.data.datasets.video_folder import VideoFolder
from fsarbench.data.readers.decord_reader import DecordReader
from fsarbench.data.readers.frames_reader import FramesReader
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.errors import UserError
from fsarbench.interfaces import VideoReader
from tests.unit.data.torture import bad, make, picture, readable
from tests.unit.data.videos import write

READERS: list[Callable[[], VideoReader]] = [DecordReader, PyAVReader]
QUIET = CheckSettings(progress=False)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return readable(tmp_path_factory.mktemp("odd"))


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, tuple[str, str]]:
    folder = tmp_path_factory.mktemp("made") / "broken"
    folder.mkdir()
    return bad(folder)


def test_both_readers_give_the_same_frames_of_odd_files(odd: list[Path]) -> None:
    for path in odd:
        ours, other = (reader() for reader in READERS)
        count = ours.count(path)
        assert count == other.count(path) == (1 if path.name == "one frame.mp4" else 20)
        indices = [0, count // 2, count - 1]
        first, second = ours.read(path, indices), other.read(path, indices)
        assert first.shape == second.shape, path.name
        np.testing.assert_array_equal(first, second, err_msg=path.name)


def test_a_lying_portrait_is_turned_as_players_show_it(odd: list[Path]) -> None:
    path = next(path for path in odd if path.name == "lying.mp4")
    for reader in READERS:
        frame = reader().read(path, [0])[0]
        assert frame.shape == (64, 48, 3)
        # Red was in the upper left of the lying picture; a quarter to the right brings it here.
        assert frame[:12, -8:, 0].mean() > 200
        assert frame[:12, :8, 0].mean() < 100


def test_bad_files_are_refused_by_name_by_both_readers(
    broken: dict[Path, tuple[str, str]],
) -> None:
    for path in broken:
        if path.name in ("cut.mkv", "cut.avi"):  # shorter films without a fault for a reader
            continue
        for reader in READERS:
            with pytest.raises(UserError) as caught:
                reader().read(path, range(reader().count(path)))
            assert str(path) in str(caught.value)


def test_a_check_names_each_bad_file_with_its_reason(
    broken: dict[Path, tuple[str, str]], odd: list[Path]
) -> None:
    for path, (kind, reason) in broken.items():
        facts = examine(path)
        assert facts.kind == kind, path.name
        assert reason in facts.reason, path.name
        assert facts.reason
    assert [examine(path).kind for path in odd] == [""] * len(odd)


def test_what_may_not_be_read_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.mp4")
    if os.geteuid():
        path.chmod(0)
    else:  # root reads everything

        def refuse(*args: object, **options: object) -> None:
            raise av.error.PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(av, "open", refuse)
    assert examine(path).kind == "unreadable"
    assert "Permission denied" in examine(path).reason
    with pytest.raises(UserError, match="Permission denied"):
        PyAVReader().count(path)


def root_of(tmp_path: Path, files: dict[str, str]) -> tuple[Path, Path]:
    """A folder with a table; each file is in the split that is given for it."""
    lines = [f"{name},{split}-class,{split}" for name, split in files.items()]
    (tmp_path / "t.csv").write_text("\n".join(["path,class,split", *lines, ""]))
    return tmp_path, tmp_path / "t.csv"


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    make(tmp_path / "a.mp4")
    make(tmp_path / "b.mp4", count=21)
    make(tmp_path / "short.mp4", count=5)
    make(tmp_path / "c.mp4", count=22)
    make(tmp_path / "leak.mkv")
    (tmp_path / "bad.mp4").write_text("nothing")
    root_of(
        tmp_path,
        {
            "a.mp4": "train", "bad.mp4": "train", "none.mp4": "train", "b.mp4": "val",
            "short.mp4": "test", "c.mp4": "test", "leak.mkv": "test",
        },
    )  # fmt: skip
    return tmp_path


def dataset(root: Path, on_bad_video: str = "error") -> AnnotatedVideos:
    return AnnotatedVideos("mine", str(root), annotations="t.csv", on_bad_video=on_bad_video)


def check(root: Path, **options) -> list[tuple[str, str, str]]:
    entries = [Entry(path, split) for split, path in dataset(root).entries()]
    found = check_videos(root, entries, bad_file(root / "t.csv"), QUIET)
    return [(one.entry.path, one.kind, one.reason) for one in found]


def test_everything_that_is_wrong_is_in_the_list(mixed: Path) -> None:
    assert check(mixed) == [
        ("a.mp4", "leak", "the same frames as leak.mkv (test)"),
        ("bad.mp4", "unreadable", "Invalid data found when processing input"),
        ("none.mp4", "missing", "No such file or directory"),
        ("short.mp4", "short", "5 frames, a clip takes 8"),
        ("leak.mkv", "leak", "the same frames as a.mp4 (train)"),
    ]
    with bad_file(mixed / "t.csv").open(newline="") as file:
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
    root_of(mixed, {"a.mp4": "train", "b.mp4": "val", "c.mp4": "test"})
    assert check(mixed) == []
    assert dataset(mixed, "skip").skipped == {}
    assert dataset(mixed, "skip").fingerprint() == dataset(mixed).fingerprint()


def test_an_own_folder_skips_as_well(tmp_path: Path) -> None:
    for number, name in enumerate(("x", "y", "z")):
        (tmp_path / name).mkdir()
        make(tmp_path / name / "1.mp4", count=20 + number)
    (tmp_path / "z" / "2.mp4").touch()
    (tmp_path / "splits.csv").write_text("class,split\nx,train\ny,val\nz,test\n")
    folder = VideoFolder(str(tmp_path), on_bad_video="skip")
    entries = [Entry(path, split) for split, path in folder.entries()]
    check_videos(tmp_path, entries, bad_file(folder.table), QUIET)
    assert [v.id for v in folder.splits()["test"].videos] == ["z/1.mp4"]
    assert list(folder.skipped) == ["z/2.mp4"]


def test_a_table_that_leads_out_is_refused(mixed: Path) -> None:
    for path in ("../a.mp4", "x/../../a.mp4", "/etc/passwd"):
        root_of(mixed, {path: "train", "b.mp4": "val", "c.mp4": "test"})
        with pytest.raises(UserError, match=r"line 2.*may not reach outside"):
            dataset(mixed).splits()


def test_an_edited_list_says_what_it_may_say(mixed: Path) -> None:
    check(mixed)
    file = bad_file(mixed / "t.csv")
    file.write_text(file.read_text().replace("leak,no", "leak,yes"))
    assert "leak.mkv" in dataset(mixed, "skip").skipped
    file.write_text(file.read_text().replace("leak,yes", "leak,maybe"))
    with pytest.raises(UserError, match=r"line 2: skip is 'maybe'"):
        dataset(mixed, "skip").splits()


def test_a_second_check_examines_only_what_changed(
    mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = check(mixed)
    seen: list[str] = []

    def spy(paths, workers, limit):
        seen.extend(path.name for path in paths)
        return examine_all(paths, workers, limit)

    monkeypatch.setattr("fsarbench.data.checking.check.examine_all", spy)
    assert check(mixed) == first
    assert seen == ["none.mp4"]
    make(mixed / "none.mp4", count=23)
    make(mixed / "a.mp4", count=24)
    seen.clear()
    assert [one[0] for one in check(mixed)] == ["bad.mp4", "short.mp4"]
    assert seen == ["a.mp4", "none.mp4"]


def test_a_line_of_the_journal_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with journal(path) as note:
        note("a", Facts("1", 3))
    path.write_bytes(path.read_bytes() + b'["b", {"sta')
    with journal(path) as note:
        note("c", Facts("2", 4))
    assert read_journal(path) == {"a": Facts("1", 3), "c": Facts("2", 4)}


def test_a_check_that_is_killed_ends_in_the_same_list(mixed: Path) -> None:
    expected = check(mixed)
    file = bad_file(mixed / "t.csv")
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


def test_a_file_that_holds_up_its_process_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("never.mp4", "good.mp4"):
        make(tmp_path / name)
    (tmp_path / "text.mp4").write_text("nothing")
    plain = pool._Worker.give

    def give(worker: pool._Worker, task: tuple[int, Path] | None) -> bool:
        if task and task[1].name == "never.mp4":
            os.kill(worker.process.pid or 0, signal.SIGSTOP)  # as a decoder that goes round
        return plain(worker, task)

    monkeypatch.setattr(pool._Worker, "give", give)
    paths = [tmp_path / name for name in ("never.mp4", "text.mp4", "good.mp4")]
    found = dict(examine_all(paths, workers=1, limit=3.0))
    assert found[0].kind == "slow"
    assert "3 s" in found[0].reason
    assert (found[1].kind, found[2].kind) == ("unreadable", "")


def test_a_pipe_is_no_video(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")  # opening it would wait for a writer that never comes
    assert examine(tmp_path / "pipe.mp4").reason == "no regular file"
    for reader in READERS:
        with pytest.raises(UserError, match=r"pipe\.mp4.*no regular file"):
            reader().count(tmp_path / "pipe.mp4")


def test_a_decoder_that_crashes_takes_only_its_own_video(tmp_path: Path) -> None:
    make(tmp_path / "good.mp4")
    worker = pool._Worker()
    while not worker.idle:
        worker.result(worker.pipe.poll(1), 60.0)
    worker.give((7, tmp_path / "good.mp4"))
    worker.process.kill()
    worker.process.join()
    while worker.pipe.poll(1):
        found = worker.result(True, 60.0)
        if worker.ended:
            break
    worker.close()
    assert found is not None
    assert found[0] == 7
    assert found[1].kind in ("crash", "")


def test_twins_in_one_split_and_videos_without_a_split() -> None:
    entries = [Entry("a", ""), Entry("b", ""), Entry("c", "")]
    facts = {"a": Facts("", 9, 0, "x"), "b": Facts("", 9, 0, "x"), "c": Facts("", 9, 0, "y")}
    found = [(one.entry.path, one.kind) for one in judge(entries, facts, 8)]
    assert found == [("a", "duplicate"), ("b", "duplicate")]


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["check", "ssv3"], "Did you mean 'ssv2'"),
        (["check", "ssv2", "--workers", "0", "--set", "dataset.root=."], "annotations"),
        (["check", "ssv2", "--set", "dataset.rot=."], "Did you mean 'root'"),
    ],
)
def test_what_is_wrong_with_the_verb(
    args: list[str], part: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["fsarbench", "data", *args])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2
    assert part in capsys.readouterr().err


def frames_folder(folder: Path, count: int = 12, prefix: str = "img_") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(picture(number, 24, 32)).save(folder / f"{prefix}{number + 1:05d}.png")
    return folder


def peak() -> int:
    """The largest memory of this process so far, in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.parametrize("reader", [DecordReader, PyAVReader, FramesReader])
def test_memory_stays_flat_over_many_reads(
    reader: Callable[[], VideoReader], tmp_path: Path
) -> None:
    path = frames_folder(tmp_path / "f", 8) if reader is FramesReader else make(tmp_path / "a.mp4")
    ours = reader()
    for _ in range(200):
        ours.read(path, [0, 5])
    before = peak()
    for _ in range(2000):
        ours.read(path, [0, 5])
    # One frame kept of each read would be 18 MB, one decoder far more.
    assert peak() - before < 8 * 1024
