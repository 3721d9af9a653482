"""Frame store: frames equal to the decoder's, resuming, and messages that name the video."""

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
from fsarbench.data.frame_store.build import CacheOptions, SizeEstimate, fill_store
from fsarbench.data.frame_store.formats import Format
from fsarbench.data.frame_store.index import StoreSettings, read_index
from fsarbench.data.frame_store.writer import Failed, StoreWriter, all_frames
from fsarbench.data.readers.decord_reader import DecordReader
from fsarbench.data.readers.frames_reader import FramesReader
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.data.readers.store_reader import StoreReader
from fsarbench.errors import UserError
from fsarbench.runtime.random_stream import RandomStream
from tests.helpers.damaged_videos import make, turned
from tests.unit.data.readers.test_damaged_videos import frames_folder

ESTIMATES: list[SizeEstimate] = []


def run_in_process(store_writer: StoreWriter, paths: Sequence[str], workers: int, limit: float):
    """Replacement of `run_tasks` without worker processes."""
    assert workers >= 1
    assert limit > 0
    for number, path in enumerate(paths):
        yield number, store_writer(path)


@pytest.fixture(autouse=True)
def no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    ESTIMATES.clear()
    monkeypatch.setattr(build, "run_tasks", run_in_process)


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    make(tmp_path / "a.mp4", count=20, size=(96, 128))
    (tmp_path / "in a folder").mkdir()
    make(tmp_path / "in a folder" / "a.mp4", count=9, size=(140, 98))
    turned(tmp_path / "lying.mp4")
    return tmp_path


PATHS = ("a.mp4", "in a folder/a.mp4", "lying.mp4")


def writer_of(root: Path, size: int | None = None, format_: Format = "raw") -> StoreWriter:
    return StoreWriter(DecordReader(), root, root / "store", StoreSettings(size, format_))


def fill(
    root: Path, size: int | None = None, format_: Format = "raw", paths: Sequence[str] = PATHS
) -> dict[str, str]:
    return fill_store(writer_of(root, size, format_), paths, CacheOptions(report=ESTIMATES.append))


def store_content(root: Path) -> dict[str, bytes]:
    store = root / "store"
    return {str(p.relative_to(store)): p.read_bytes() for p in store.rglob("*") if p.is_file()}


def test_full_size_frames_equal_those_of_the_decoder(videos: Path) -> None:
    assert fill(videos) == {}
    reader = StoreReader(str(videos / "store"))
    for path in PATHS:
        count = DecordReader().count(videos / path)
        assert reader.count(videos / path) == count
        for indices in (range(count), [count - 1, 0, 0, 3]):
            expected = DecordReader().read(videos / path, indices)
            np.testing.assert_array_equal(reader.read(videos / path, indices), expected)


def test_clips_equal_those_of_the_decoder_if_the_sizes_agree(videos: Path) -> None:
    fill(videos, size=64)
    reader = StoreReader(str(videos / "store"))
    clips = ClipSettings(frames=4, size=56, resize=64, flip=True)
    for path in PATHS:
        assert min(reader.read(videos / path, [0])[0].shape[:2]) == min(
            64, min(DecordReader().read(videos / path, [0])[0].shape[:2])
        )
        for random in (False, True):
            stored, decoded = (
                load_clip(r, videos / path, clips, RandomStream("x", path) if random else None)
                for r in (reader, DecordReader())
            )
            assert torch.equal(stored, decoded)
    jitter = ClipSettings(frames=4, size=56, resize=64, jitter=0.3)
    stored, decoded = (
        load_clip(r, videos / "a.mp4", jitter, RandomStream("y")).float()
        for r in (reader, DecordReader())
    )
    assert 0 < (stored - decoded).abs().max() <= 3


def test_jpeg_frames_are_similar_and_take_less_space(videos: Path) -> None:
    fill(videos, 64, "jpeg")
    reader = StoreReader(str(videos / "store"))
    indices = [8, 2, 2]
    path = videos / "in a folder" / "a.mp4"
    jpeg = reader.read(path, indices)
    raw = np.stack([writer.downscaled(f, 64) for f in DecordReader().read(path, indices)])
    assert jpeg.shape == raw.shape
    assert 0 < np.abs(jpeg.astype(float) - raw).mean() < 3
    assert sum(v.bytes for v in read_index(videos / "store").values()) < 0.2 * _raw_bytes(videos)


def _raw_bytes(videos: Path) -> int:
    return sum(
        sum(writer.downscaled(f, 64).nbytes for f in all_frames(DecordReader(), videos / p, n, 64))
        for p, n in zip(PATHS, (20, 9, 20), strict=True)
    )


def test_the_size_estimate_is_accurate(videos: Path) -> None:
    for format_, tolerance in (("raw", 0.0), ("jpeg", 0.1)):
        fill(videos, 64, format_)
        size = sum(file.stat().st_size for file in (videos / "store" / "frames").rglob("*.*"))
        headers = 1024 * len(PATHS)
        assert ESTIMATES[-1].videos == ESTIMATES[-1].sample == 3
        assert abs(ESTIMATES[-1].bytes - size) <= tolerance * size + headers
        shutil.rmtree(videos / "store")


def test_a_store_that_does_not_fit_is_not_started(
    videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(videos)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100_000))
    with pytest.raises(
        UserError, match=r"does not fit on the disk: 3 videos, about .* 100 kB are free.*jpeg"
    ):
        fill(videos)
    assert not (videos / "store" / "frames").exists()


def test_long_videos_are_decoded_in_several_blocks(
    videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_BYTES", 3 * 96 * 128 * 3)
    calls = []

    class Spy(PyAVReader):
        def read(self, path, indices):
            calls.append(len(indices))
            return super().read(path, indices)

    frames = np.stack(list(all_frames(Spy(), videos / "a.mp4", 20, None)))
    assert calls == [1, 3, 3, 3, 3, 3, 3, 1]
    np.testing.assert_array_equal(frames, PyAVReader().read(videos / "a.mp4", range(20)))


def test_stored_videos_are_not_decoded_again(videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(videos, paths=PATHS[:2])
    decoded: list[str] = []
    call = StoreWriter.__call__

    def spy(self: StoreWriter, path: str):
        decoded.append(path)
        return call(self, path)

    monkeypatch.setattr(StoreWriter, "__call__", spy)
    fill(videos)
    fill(videos)
    assert decoded == ["lying.mp4"]
    make(videos / "a.mp4", count=7)
    os.utime(videos / "lying.mp4")  # changes the modification time only
    (videos / "store" / "frames" / "in a folder" / "a.mp4.npy").write_bytes(b"cut")
    fill(videos)
    assert decoded[1:] == ["a.mp4", "in a folder/a.mp4"]
    assert StoreReader(str(videos / "store")).count(videos / "a.mp4") == 7


def test_filling_in_two_steps_gives_the_same_store(videos: Path) -> None:
    fill(videos, paths=PATHS[1:])
    fill(videos, paths=PATHS[:2])
    two_steps = store_content(videos)
    shutil.rmtree(videos / "store")
    fill(videos)
    assert store_content(videos) == two_steps


def test_bad_videos_are_left_out_and_named(videos: Path) -> None:
    (videos / "bad.mp4").write_text("nothing")
    failed = fill(videos, paths=[*PATHS, "bad.mp4", "none.mp4"])
    assert list(failed) == ["bad.mp4", "none.mp4"]
    assert str(videos / "bad.mp4") in failed["bad.mp4"]
    reader = StoreReader(str(videos / "store"))
    assert reader.count(videos / "a.mp4") == 20
    with pytest.raises(UserError, match=r"bad\.mp4 is not in the frame store"):
        reader.count(videos / "bad.mp4")


def test_changed_videos_are_rejected_and_copies_accepted(videos: Path) -> None:
    fill(videos)
    reader = StoreReader(str(videos / "store"))
    os.utime(videos / "a.mp4", (1, 1))
    assert reader.count(videos / "a.mp4") == 20
    make(videos / "a.mp4", count=21)
    with pytest.raises(UserError, match=r"a\.mp4 changed after it was stored"):
        StoreReader(str(videos / "store")).count(videos / "a.mp4")
    (videos / "a.mp4").unlink()
    with pytest.raises(UserError, match=r"a\.mp4 is missing"):
        StoreReader(str(videos / "store")).read(videos / "a.mp4", [0])


def test_faults_of_the_store_are_named(videos: Path) -> None:
    with pytest.raises(UserError, match="There is no frame store in"):
        StoreReader(str(videos / "store")).count(videos / "a.mp4")
    fill(videos)
    with pytest.raises(UserError, match="choose another folder with --out"):
        fill(videos, size=64)
    with pytest.raises(UserError, match=r"set reader\.videos"):
        StoreReader(str(videos / "store"), str(videos / "in a folder")).count(videos / "a.mp4")
    with pytest.raises(UserError, match="frame 20 was requested"):
        StoreReader(str(videos / "store")).read(videos / "a.mp4", [20])
    file = videos / "store" / "frames" / "a.mp4.npy"
    file.write_bytes(file.read_bytes()[:-5000])
    with pytest.raises(UserError, match=r"stored frames of .*a\.mp4 cannot be read"):
        StoreReader(str(videos / "store")).read(videos / "a.mp4", [19])
    (videos / "store" / "index.csv").write_text("path\na,b\n")
    with pytest.raises(UserError, match="is damaged"):
        StoreReader(str(videos / "store")).read(videos / "a.mp4", [0])
    (videos / "store" / "index.csv").unlink()
    with pytest.raises(UserError, match="is incomplete"):
        StoreReader(str(videos / "store")).read(videos / "a.mp4", [0])
    (videos / "store" / "store.json").write_text('{"version": 99}')
    with pytest.raises(UserError, match="delete the folder"):
        fill(videos)


def test_a_full_disk_stops_and_keeps_stored_videos(
    videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(videos, paths=PATHS[:1])
    call = StoreWriter.__call__

    def full(self: StoreWriter, path: str):
        return Failed("cannot write x: No space left on device", disk=True)

    monkeypatch.setattr(StoreWriter, "__call__", full)
    with pytest.raises(UserError, match=r"No space left.*--out"):
        fill(videos)
    monkeypatch.setattr(StoreWriter, "__call__", call)
    assert fill(videos) == {}
    assert ESTIMATES[-1].videos == 2


def test_a_store_path_that_is_a_file_is_named(videos: Path) -> None:
    (videos / "store").write_text("a file")
    with pytest.raises(UserError, match="cannot be created"):
        fill(videos)


def test_a_pickled_reader_is_small_and_works(videos: Path) -> None:
    fill(videos)
    reader = StoreReader(str(videos / "store"))
    frames = reader.read(videos / "a.mp4", [4])
    pickled = pickle.dumps(reader)
    assert len(pickled) < 1000
    np.testing.assert_array_equal(pickle.loads(pickled).read(videos / "a.mp4", [4]), frames)


def test_folders_of_frames_are_stored(tmp_path: Path) -> None:
    frames_folder(tmp_path / "f", 5)
    store_writer = StoreWriter(
        FramesReader(), tmp_path, tmp_path / "store", StoreSettings(None, "raw")
    )
    fill_store(store_writer, ["f"], CacheOptions(report=ESTIMATES.append))
    reader = StoreReader(str(tmp_path / "store"))
    expected = FramesReader().read(tmp_path / "f", range(5))
    np.testing.assert_array_equal(reader.read(tmp_path / "f", range(5)), expected)
    frames_folder(tmp_path / "f", 6)
    with pytest.raises(UserError, match="changed after it was stored"):
        StoreReader(str(tmp_path / "store")).count(tmp_path / "f")


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["--size", "big"], "--size big: expected a number of pixels"),
        (["--size", "0"], "--size 0: expected 1 or more pixels"),
        (["--format", "png"], "--format png: expected raw or jpeg"),
        (["--workers", "0"], "--workers has to be 1 or more"),
        (["--set", "reader.type=StoreReader", "--set", "reader.root=x"], "leave out reader.type"),
    ],
)
def test_invalid_options_end_with_status_2_and_a_message(
    args: list[str],
    part: str,
    videos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert part in outputs(videos, args, 2, monkeypatch, capsys)[1]


def test_the_command_prints_counts_and_options_for_reading(
    videos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = outputs(videos, ["--size", "64"], 1, monkeypatch, capsys)
    store = videos / "store-64-raw"
    assert f"frame store {store} (raw, short side at most 64 pixels): 4 videos, about" in out
    assert "3 of 4 videos are stored" in out
    assert f"not stored: The video {videos / 'bad.mp4'} cannot be decoded" in out
    assert f"--set reader.type=StoreReader --set reader.root={store}\n" in out
    assert StoreReader(str(store)).count(videos / "a.mp4") == 20


def outputs(
    videos: Path,
    args: list[str],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> tuple[str, str]:
    """Standard output and standard error of `data cache`."""
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


def test_source_is_the_file_in_the_store(videos: Path) -> None:
    fill(videos)
    path = videos / "a.mp4"
    source = StoreReader(str(videos / "store")).source(path)
    assert source.is_file()
    assert source.is_relative_to(videos / "store")
    with pytest.raises(UserError, match="not in the frame store"):
        StoreReader(str(videos / "store")).source(videos / "none.mp4")
