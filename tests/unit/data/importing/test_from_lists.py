"""Import of split lists in both layouts: tables, hashes, missing videos, and rejected lists."""

import sys
from pathlib import Path

import pytest

from fsarbench.cli.app import main
from fsarbench.cli.data_import import headline, remarks
from fsarbench.data.datasets.annotated import AnnotatedVideos
from fsarbench.data.importing.from_lists import missing_file
from fsarbench.data.importing.known_lists import known_dataset
from fsarbench.errors import UserError
from tests.helpers.split_lists import (
    TIMED,
    VIDEOS,
    create_videos,
    fault,
    rows,
    run,
    touch,
    write_clip_fsar,
    write_trx,
)
from tests.helpers.video_files import write as write_video


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    return create_videos(tmp_path / "videos", write_trx(tmp_path / "trx"), "class", ".avi")


def test_both_layouts_give_the_same_table_and_hash(tmp_path: Path, videos: Path) -> None:
    trx = run(tmp_path / "trx", videos)
    table = rows(trx)
    clip_fsar = run(write_clip_fsar(tmp_path / "clip"), videos)
    assert (trx.family, clip_fsar.family) == ("TRX", "CLIP-FSAR")
    assert rows(clip_fsar) == table
    assert clip_fsar.digest == trx.digest
    assert trx.listed == trx.found == (4, 2, 4)
    assert trx.classes == (2, 1, 2)
    assert table[0]["path"] == "ThrowDiscus/v_a1.avi"
    assert table[0]["class"] == "ThrowDiscus"
    assert table[0]["readable"] == "Throw Discus"
    assert table[2]["readable"] == "brush hair"
    assert [row["id"] for row in table[-2:]] == ["e.1", "é 2"]


def test_the_table_is_read_as_a_data_set_with_the_hash_of_the_list(
    tmp_path: Path, videos: Path
) -> None:
    imported = run(tmp_path / "trx", videos)
    dataset = AnnotatedVideos("made", str(videos), annotations="made.csv")
    splits = dataset.splits()
    assert splits["train"].classes == ("ThrowDiscus", "brush_hair")
    assert splits["test"].videos[3].path == videos / "wave" / "é 2.avi"
    assert dataset.fingerprint() == imported.digest


def test_the_hash_depends_on_ids_and_partition_only(tmp_path: Path, videos: Path) -> None:
    before = run(tmp_path / "trx", videos).digest
    renamed = {**VIDEOS, "val": {"Cliff Diving": VIDEOS["val"]["CliffDiving"]}}
    assert run(write_trx(tmp_path / "renamed", renamed), videos).digest == before
    moved = {**VIDEOS, "val": VIDEOS["test"], "test": VIDEOS["val"]}
    assert run(write_trx(tmp_path / "moved", moved), videos).digest != before
    mixed = {**VIDEOS, "test": {"YoYo": ["v_d1", "e.1"], "wave": ["v_d2", "é 2"]}}
    assert run(write_trx(tmp_path / "mixed", mixed), videos).digest != before


@pytest.mark.parametrize("layout", ["flat", "class"])
@pytest.mark.parametrize("suffix", [".webm", ".mp4", ".avi", ".mkv", ".MP4"])
def test_files_are_found_in_any_layout(tmp_path: Path, layout: str, suffix: str) -> None:
    splits = write_clip_fsar(tmp_path / "clip")
    imported = run(splits, create_videos(tmp_path / "videos", splits, layout, suffix))
    assert imported.missing == ()
    assert all(row["path"].endswith(suffix) for row in rows(imported))


def test_folders_of_frames_are_found(tmp_path: Path) -> None:
    ids = [v for classes in VIDEOS.values() for ids in classes.values() for v in ids]
    frames = [f"frames/{video}/img_0000{n}.jpg" for video in ids for n in (1, 2, 3)]
    imported = run(write_trx(tmp_path / "trx"), touch(tmp_path / "videos", frames))
    assert imported.of_frames
    assert {row["frames"] for row in rows(imported)} == {"3"}
    assert rows(imported)[0]["path"] == "frames/v_a1"


def test_the_last_columns_come_from_the_headers(tmp_path: Path, videos: Path) -> None:
    write_video(videos / "ThrowDiscus" / "v_a1.mp4")
    (videos / "ThrowDiscus" / "v_a1.avi").unlink()
    table = rows(run(tmp_path / "trx", videos))
    assert [table[0][name] for name in ("frames", "fps", "size")] == ["40", "12", "64x48"]
    assert [table[1][name] for name in ("frames", "fps", "size")] == ["", "", ""]


def test_a_file_in_the_folder_of_its_class_is_preferred(tmp_path: Path, videos: Path) -> None:
    touch(videos, ["a/v_a1.avi", "throw discus/v_a1.webm"])
    (videos / "ThrowDiscus" / "v_a1.avi").unlink()
    assert rows(run(tmp_path / "trx", videos))[0]["path"] == "throw discus/v_a1.webm"


def test_missing_videos_are_counted_and_listed(tmp_path: Path, videos: Path) -> None:
    (videos / "YoYo" / "v_d1.avi").unlink()
    imported = run(tmp_path / "trx", videos)
    assert imported.missing == ("v_d1",)
    assert imported.found == (4, 2, 3)
    assert headline(imported).endswith(": 4/2/4; 1 video missing")
    assert missing_file(imported.table).read_text() == "v_d1\n"
    assert "v_d1" not in {row["id"] for row in rows(imported)}
    assert any(str(missing_file(imported.table)) in text for text in remarks(imported))
    touch(videos, ["YoYo/v_d1.avi"])
    assert not missing_file(run(tmp_path / "trx", videos).table).exists()


def test_ids_match_with_or_without_start_and_end_seconds(tmp_path: Path) -> None:
    listed = {
        "train": {"a": ["x_000001_000011", "y"]},
        "val": {"b": ["z_000001_000011"]},
        "test": {"c": ["w_000001_000011"]},
    }
    paths = ["x.mp4", "y_000003_000013.mp4", "z_000001_000011.mp4", "w_000002_000012.mp4"]
    imported = run(write_trx(tmp_path / "trx"), touch(tmp_path / "all", [*paths, "v_a1.mp4"]))
    assert len(imported.missing) == 9
    imported = run(write_trx(tmp_path / "times", listed), tmp_path / "all", TIMED)
    assert [row["path"] for row in rows(imported)] == paths[:3]
    # Other seconds of the same recording are another video.
    assert imported.missing == ("w_000001_000011",)
    short = {s: {c: [v[0] for v in ids] for c, ids in of.items()} for s, of in listed.items()}
    again = run(write_trx(tmp_path / "short", short), tmp_path / "all", TIMED)
    assert again.digest == imported.digest


def test_windows_line_ends_and_byte_order_marks_are_ignored(tmp_path: Path, videos: Path) -> None:
    before = run(tmp_path / "trx", videos).digest
    windows = write_trx(tmp_path / "windows", end="\r\n")
    first = windows / "trainlist03.txt"
    first.write_bytes(b"\xef\xbb\xbf" + first.read_bytes())
    assert run(windows, videos).digest == before


BAD_LINES = {
    "outside": ("ThrowDiscus/../../etc/passwd", ["line 5", "'..'", "inside the folder"]),
    "outside with backslashes": ("ThrowDiscus/a\\..\\b", ["line 5", "'..'"]),
    "class outside": ("../x", ["line 5", "'..'"]),
    "no class": ("v_a3", ["line 5", "expected 'class/video'"]),
    "no video": ("ThrowDiscus/", ["line 5", "expected 'class/video'"]),
    "twice": ("ThrowDiscus/v_a1", ["line 5", "v_a1 is already listed", "line 1"]),
    "twice with a suffix": ("wave/v_a1.mp4", ["line 5", "v_a1 is already listed"]),
    "a class of another split": ("wave/new", ["'wave' is in test, but in train", "line 5"]),
    "a number of another split": ("val0/new", ["line 5", "val0 is in the list of train"]),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_invalid_lines_are_reported_with_their_line_number(
    case: str, tmp_path: Path, videos: Path
) -> None:
    line, parts = BAD_LINES[case]
    file = tmp_path / "trx" / "trainlist03.txt"
    file.write_text(file.read_text() + line + "\n")
    text = fault(tmp_path / "trx", videos)
    for part in ["trainlist03.txt", *parts]:
        assert part in text


def test_several_invalid_lines_are_reported_in_one_message(tmp_path: Path, videos: Path) -> None:
    file = tmp_path / "trx" / "trainlist03.txt"
    file.write_text(file.read_text() + "ThrowDiscus/../x\n" * 7)
    text = fault(tmp_path / "trx", videos)
    assert text.count("'..'") == 5
    assert "and 2 more" in text


def test_the_message_about_a_folder_without_lists_names_the_expected_files(
    tmp_path: Path, videos: Path
) -> None:
    assert "trainlist03.txt" in fault(tmp_path / "nowhere", videos)
    assert "Its subfolders with lists: trx." in fault(tmp_path, videos)
    (tmp_path / "trx" / "vallist03.txt").rename(tmp_path / "trx" / "vallist03.csv")
    assert "for val it has none" in fault(tmp_path / "trx", videos)
    (tmp_path / "trx" / "vallist01.txt").write_text("a/b\n")
    (tmp_path / "trx" / "vallist02.txt").write_text("a/b\n")
    assert "vallist01.txt, vallist02.txt" in fault(tmp_path / "trx", videos)
    write_clip_fsar(tmp_path / "trx")
    assert "layouts of both TRX and CLIP-FSAR" in fault(tmp_path / "trx", videos)


def test_lists_that_are_empty_or_not_text(tmp_path: Path, videos: Path) -> None:
    file = tmp_path / "trx" / "vallist03.txt"
    file.write_text("\n \n")
    assert f"{file} is empty" in fault(tmp_path / "trx", videos)
    file.write_bytes(b"\xff\xfe\x00")
    assert f"{file} cannot be read" in fault(tmp_path / "trx", videos)


def test_folders_without_any_listed_video(tmp_path: Path) -> None:
    splits = write_trx(tmp_path / "trx")
    assert "there is no folder" in fault(splits, tmp_path / "nowhere")
    other = touch(tmp_path / "other", ["x.mp4"])
    text = fault(splits, other)
    assert "has none of the listed videos" in text
    assert "1 others, such as x.mp4" in text
    assert not (other / "made.csv").exists()


def test_the_command_prints_how_to_use_the_table(
    tmp_path: Path,
    videos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["fsarbench", "data", "import", "hmdb51", "--splits", str(tmp_path / "trx")]
    monkeypatch.setattr(
        sys, "argv", [*command, "--videos", str(videos), "--out", str(tmp_path / "x.csv")]
    )
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 0
    output = capsys.readouterr().out
    assert "HMDB51, unknown list: 4/2/4; all videos found" in output
    assert "differ from those of HMDB51, ARN" in output
    assert f"export FSARBENCH_HMDB51={videos}" in output
    assert f"--set dataset.annotations={tmp_path / 'x.csv'}" in output


def test_cyclic_links_are_visited_once(tmp_path: Path, videos: Path) -> None:
    (videos / "wave" / "round").symlink_to(videos, target_is_directory=True)
    (videos / "self").symlink_to(videos / "self")
    imported = run(tmp_path / "trx", videos)
    assert imported.missing == ()
    assert {row["path"].count("/") for row in rows(imported)} == {1}


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UserError, match="Did you mean 'ssv2small'"):
        known_dataset("ssv2smal")
