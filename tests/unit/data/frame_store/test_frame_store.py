"""Stores: the frames of the decoder, resumable, and errors that name the video."""

import os
import pickle
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from fsarbench.cli.app import main
from fsarbench.data.clips import ClipSettings, load_clip
from fsarbench.data.frame_store import build, writer
from fsarbench.data.frame_store.build import CacheOptions, fill
from fsarbench.data.frame_store.formats import Format
from fsarbench.data.frame_store.index import StoreSettings, read_index
from fsarbench.data.frame_store.size_estimate import SizeEstimate
from fsarbench.data.frame_store.writer import Failed, StoreWriter, all_frames
from fsarbench.data.readers.decord_reader import DecordReader
from fsarbench.data.readers.frames_reader import FramesReader
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.data.readers.store_reader import StoreReader
from fsarbench.errors import UserError
from fsarbench.runtime.random_stream import RandomStream
from tests.helpers.damaged_videos import make, turned
from tests.unit.data.readers.test_damaged_videos import frames_folder

SEEN: list[SizeEstimate] = []


def one_by_one(keeper: StoreWriter, paths: Sequence[str], workers: int, limit: float):
    """As the pool, in this process."""
    assert workers >= 1
    assert limit > 0
    for number, path in enumerate(paths):
        yield number, keeper(path)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    SEEN.clear()
    monkeypatch.setattr(build, "each", one_by_one)


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    make(tmp_path / "a.mp4", count=20, size=(96, 128))
    (tmp_path / "in a folder").mkdir()
    make(tmp_path / "in a folder" / "a.mp4", count=9, size=(140, 98))
    turned(tmp_path / "lying.mp4")
    return tmp_path


PATHS = ("a.mp4", "in a folder/a.mp4", "lying.mp4")


def keeper_of(root: Path, size: int | None = None, format_: Format = "raw") -> StoreWriter:
    return StoreWriter(DecordReader(), root, root / "store", StoreSettings(size, format_))


def filled(
    root: Path, size: int | None = None, format_: Format = "raw", paths: Sequence[str] = PATHS
) -> dict[str, str]:
    return fill(keeper_of(root, size, format_), paths, CacheOptions(say=SEEN.append))


def content(root: Path) -> dict[str, bytes]:
    store = root / "store"
    return {str(p.relative_to(store)): p.read_bytes() for p in store.rglob("*") if p.is_file()}


def test_frames_of_full_size_are_those_of_the_decoder(videos: Path) -> None:
    assert filled(videos) == {}
    reader = StoreReader(str(videos / "store"))
    for path in PATHS:
        count = DecordReader().count(videos / path)
        assert reader.count(videos / path) == count
        for indices in (range(count), [count - 1, 0, 0, 3]):
            expected = DecordReader().read(videos / path, indices)
            np.testing.assert_array_equal(reader.read(videos / path, indices), expected)


def test_clips_are_those_of_the_decoder_if_the_size_is_that_of_the_clips(videos: Path) -> None:
    filled(videos, size=64)
    reader = StoreReader(str(videos / "store"))
    clips = ClipSettings(frames=4, size=56, resize=64, flip=True)
    for path in PATHS:
        assert min(reader.read(videos / path, [0])[0].shape[:2]) == min(
            64, min(DecordReader().read(videos / path, [0])[0].shape[:2])
        )
        for drawn in (False, True):
            ours, theirs = (
                load_clip(r, videos / path, clips, RandomStream("x", path) if drawn else None)
                for r in (reader, DecordReader())
            )
            assert torch.equal(ours, theirs)
    jitter = ClipSettings(frames=4, size=56, resize=64, jitter=0.3)
    ours, theirs = (
        load_clip(r, videos / "a.mp4", jitter, RandomStream("y")).float()
        for r in (reader, DecordReader())
    )
    assert 0 < (ours - theirs).abs().max() <= 3


def test_jpeg_is_near_and_smaller(videos: Path) -> None:
    filled(videos, 64, "jpeg")
    reader = StoreReader(str(videos / "store"))
    indices = [8, 2, 2]
    path = videos / "in a folder" / "a.mp4"
    near = reader.read(path, indices)
    raw = np.stack([writer.smaller(f, 64) for f in DecordReader().read(path, indices)])
    assert near.shape == raw.shape
    assert 0 < np.abs(near.astype(float) - raw).mean() < 3
    assert sum(v.bytes for v in read_index(videos / "store").values()) < 0.2 * _raw_bytes(videos)


def _raw_bytes(videos: Path) -> int:
    return sum(
        sum(writer.smaller(f, 64).nbytes for f in all_frames(DecordReader(), videos / p, n, 64))
        for p, n in zip(PATHS, (20, 9, 20), strict=True)
    )


def test_the_forecast_is_told_first_and_right(videos: Path) -> None:
    for format_, slack in (("raw", 0.0), ("jpeg", 0.1)):
        filled(videos, 64, format_)
        size = sum(file.stat().st_size for file in (videos / "store" / "frames").rglob("*.*"))
        headers = 1024 * len(PATHS)
        assert SEEN[-1].videos == SEEN[-1].sample == 3
        assert abs(SEEN[-1].bytes - size) <= slack * size + headers
        shutil.rmtree(videos / "store")


def test_a_store_that_does_not_fit_is_not_begun(
    videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(videos)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100_000))
    with pytest.raises(UserError, match=r"does not fit: 3 videos, about .* 100 kB are free.*jpeg"):
        filled(videos)
    assert not (videos / "store" / "frames").exists()


def test_long_films_are_read_in_several_goes(videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "HELD", 3 * 96 * 128 * 3)
    calls = []

    class Spy(PyAVReader):
        def read(self, path, indices):
            calls.append(len(indices))
            return super().read(path, indices)

    frames = np.stack(list(all_frames(Spy(), videos / "a.mp4", 20, None)))
    assert calls == [1, 3, 3, 3, 3, 3, 3, 1]
    np.testing.assert_array_equal(frames, PyAVReader().read(videos / "a.mp4", range(20)))


def test_what_is_kept_is_not_decoded_again(videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(videos, paths=PATHS[:2])
    seen: list[str] = []
    plain = StoreWriter.__call__

    def spy(self: StoreWriter, path: str):
        seen.append(path)
        return plain(self, path)

    monkeypatch.setattr(StoreWriter, "__call__", spy)
    filled(videos)
    filled(videos)
    assert seen == ["lying.mp4"]
    make(videos / "a.mp4", count=7)
    os.utime(videos / "lying.mp4")  # touched, and not changed
    (videos / "store" / "frames" / "in a folder" / "a.mp4.npy").write_bytes(b"cut")
    filled(videos)
    assert seen[1:] == ["a.mp4", "in a folder/a.mp4"]
    assert StoreReader(str(videos / "store")).count(videos / "a.mp4") == 7


def test_a_store_serves_lists_that_share_videos(videos: Path) -> None:
    filled(videos, paths=PATHS[1:])
    filled(videos, paths=PATHS[:2])
    parts = content(videos)
    shutil.rmtree(videos / "store")
    filled(videos)
    assert content(videos) == parts


def test_a_bad_video_is_left_out_by_name(videos: Path) -> None:
    (videos / "bad.mp4").write_text("nothing")
    failed = filled(videos, paths=[*PATHS, "bad.mp4", "none.mp4"])
    assert list(failed) == ["bad.mp4", "none.mp4"]
    assert str(videos / "bad.mp4") in failed["bad.mp4"]
    reader = StoreReader(str(videos / "store"))
    assert reader.count(videos / "a.mp4") == 20
    with pytest.raises(UserError, match=r"bad\.mp4 is not in the store"):
        reader.count(videos / "bad.mp4")


def test_a_changed_video_is_noticed_and_a_copy_is_not(videos: Path) -> None:
    filled(videos)
    reader = StoreReader(str(videos / "store"))
    os.utime(videos / "a.mp4", (1, 1))
    assert reader.count(videos / "a.mp4") == 20
    make(videos / "a.mp4", count=21)
    with pytest.raises(UserError, match=r"a\.mp4 is not the one that was stored"):
        StoreReader(str(videos / "store")).count(videos / "a.mp4")
    (videos / "a.mp4").unlink()
    with pytest.raises(UserError, match=r"a\.mp4 is missing"):
        StoreReader(str(videos / "store")).read(videos / "a.mp4", [0])


def test_faults_of_the_store_are_named(videos: Path) -> None:
    keeper_of(videos)
    with pytest.raises(UserError, match="There is no store in"):
        StoreReader(str(videos / "store")).count(videos / "a.mp4")
    filled(videos)
    with pytest.raises(UserError, match="name another folder with --out"):
        filled(videos, size=64)
    with pytest.raises(UserError, match=r"set reader\.videos"):
        StoreReader(str(videos / "store"), str(videos / "in a folder")).count(videos / "a.mp4")
    with pytest.raises(UserError, match="frame 20 was asked for"):
        StoreReader(str(videos / "store")).read(videos / "a.mp4", [20])
    file = videos / "store" / "frames" / "a.mp4.npy"
    file.write_bytes(file.read_bytes()[:-5000])
    with pytest.raises(UserError, match=r"stored frames of .*a\.mp4 cannot be read"):
        StoreReader(str(videos / "store")).read(videos / "a.mp4", [19])
    (videos / "store" / "index.csv").write_text("path\na,b\n")
    with pytest.raises(UserError, match="is damaged"):
        StoreReader(str(videos / "store")).read(videos / "a.mp4", [0])
    (videos / "store" / "index.csv").unlink()
    with pytest.raises(UserError, match="is not finished"):
        StoreReader(str(videos / "store")).read(videos / "a.mp4", [0])
    (videos / "store" / "store.json").write_text('{"version": 99}')
    with pytest.raises(UserError, match="take the folder"):
        filled(videos)


def test_a_full_disk_ends_it_and_keeps_what_is_there(
    videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(videos, paths=PATHS[:1])
    plain = StoreWriter.__call__

    def full(self: StoreWriter, path: str):
        return Failed("cannot write x: No space left on device", disk=True)

    monkeypatch.setattr(StoreWriter, "__call__", full)
    with pytest.raises(UserError, match=r"No space left.*--out"):
        filled(videos)
    monkeypatch.setattr(StoreWriter, "__call__", plain)
    assert filled(videos) == {}
    assert SEEN[-1].videos == 2


def test_a_place_that_is_no_folder_is_named(videos: Path) -> None:
    (videos / "store").write_text("a file")
    with pytest.raises(UserError, match="cannot write"):
        filled(videos)


def test_a_reader_can_be_sent_to_another_process(videos: Path) -> None:
    filled(videos)
    reader = StoreReader(str(videos / "store"))
    frames = reader.read(videos / "a.mp4", [4])
    sent = pickle.dumps(reader)
    assert len(sent) < 1000
    np.testing.assert_array_equal(pickle.loads(sent).read(videos / "a.mp4", [4]), frames)


def test_folders_of_frames_are_kept_too(tmp_path: Path) -> None:
    frames_folder(tmp_path / "f", 5)
    keeper = StoreWriter(FramesReader(), tmp_path, tmp_path / "store", StoreSettings(None, "raw"))
    fill(keeper, ["f"], CacheOptions(say=SEEN.append))
    reader = StoreReader(str(tmp_path / "store"))
    expected = FramesReader().read(tmp_path / "f", range(5))
    np.testing.assert_array_equal(reader.read(tmp_path / "f", range(5)), expected)
    frames_folder(tmp_path / "f", 6)
    with pytest.raises(UserError, match="is not the one that was stored"):
        StoreReader(str(tmp_path / "store")).count(tmp_path / "f")


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["--size", "big"], "--size big: expected a number of pixels"),
        (["--size", "0"], "--size 0: it has to be 1 or more"),
        (["--format", "png"], "--format png: expected raw or jpeg"),
        (["--workers", "0"], "--workers has to be 1 or more"),
        (["--set", "reader.type=StoreReader", "--set", "reader.root=x"], "leave out reader.type"),
    ],
)
def test_what_is_wrong_with_the_verb(
    args: list[str],
    part: str,
    videos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert part in said(videos, args, 2, monkeypatch, capsys)[1]


def test_the_verb_says_what_it_kept_and_how_to_read_it(
    videos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = said(videos, ["--size", "64"], 1, monkeypatch, capsys)
    store = videos / "store-64-raw"
    assert f"frame store {store} (raw, short side of at most 64 pixels): 4 videos, about" in out
    assert "3 of 4 videos are stored" in out
    assert f"not stored: The video {videos / 'bad.mp4'} cannot be decoded" in out
    assert f"--set reader.type=StoreReader --set reader.root={store}\n" in out
    assert StoreReader(str(store)).count(videos / "a.mp4") == 20


def said(
    videos: Path,
    args: list[str],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> tuple[str, str]:
    """What `data cache` prints on both streams."""
    (videos / "bad.mp4").write_text("nothing")
    lines = [f"{path},c{n % 3},{('train', 'val', 'test')[n % 3]}" for n, path in enumerate(PATHS)]
    (videos / "t.csv").write_text("\n".join(["path,class,split", *lines, "bad.mp4,c0,train", ""]))
    sets = ["--set", f"dataset.root={videos}", "--set", "dataset.annotations=t.csv"]
    argv = ["fsarbench", "data", "cache", "ssv2", *sets, "--quiet", *args]
    monkeypatch.setattr(sys, "argv", argv)
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == code
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_what_was_computed_from_a_store_is_known_by_the_store(videos: Path) -> None:
    filled(videos)
    path = videos / "a.mp4"
    source = StoreReader(str(videos / "store")).source(path)
    assert source.is_file()
    assert source.is_relative_to(videos / "store")
    with pytest.raises(UserError, match="not in the store"):
        StoreReader(str(videos / "store")).source(videos / "none.mp4")
