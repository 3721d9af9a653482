"""Bad and odd files: each is reported by name and reason; nothing crashes, hangs or is dropped."""

import os
import resource
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from fsarbench.data.checking.check_videos import CheckSettings, examine_all, examined
from fsarbench.data.checking.examine import examine
from fsarbench.data.frame_store.formats import Format
from fsarbench.data.frame_store.index import Stored, StoreSettings, write_index, write_settings
from fsarbench.data.frame_store.writer import Failed, StoreWriter
from fsarbench.data.readers.decord_reader import DecordReader
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.data.readers.store_reader import StoreReader
from fsarbench.errors import UserError
from fsarbench.registry import READERS as REGISTERED
from fsarbench.runtime.worker_pool import Lost, Worker
from fsarbench.video import VideoReader
from tests.helpers.all_readers import OTHERS, READERS, needs_torchcodec
from tests.helpers.damaged_videos import bad, make, picture, readable
from tests.helpers.video_files import write

QUIET = CheckSettings(progress=False)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return readable(tmp_path_factory.mktemp("odd"))


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, tuple[str, str]]:
    folder = tmp_path_factory.mktemp("made") / "broken"
    folder.mkdir()
    return bad(folder)


@pytest.mark.parametrize("reader", OTHERS)
def test_all_readers_give_the_same_frames_of_odd_files(
    reader: Callable[[], VideoReader], odd: list[Path]
) -> None:
    for path in odd:
        ours, other = DecordReader(), reader()
        count = ours.count(path)
        assert count == other.count(path) == (1 if path.name == "one frame.mp4" else 20)
        indices = [0, count // 2, count - 1]
        first, second = ours.read(path, indices), other.read(path, indices)
        assert first.shape == second.shape, path.name
        np.testing.assert_array_equal(first, second, err_msg=path.name)


@pytest.mark.parametrize("reader", READERS)
def test_a_lying_portrait_is_turned_as_players_show_it(
    reader: Callable[[], VideoReader], odd: list[Path]
) -> None:
    path = next(path for path in odd if path.name == "lying.mp4")
    frame = reader().read(path, [0])[0]
    assert frame.shape == (64, 48, 3)
    # Red was in the upper left of the lying picture; a quarter to the right brings it here.
    assert frame[:12, -8:, 0].mean() > 200
    assert frame[:12, :8, 0].mean() < 100


@pytest.mark.parametrize("reader", READERS)
def test_bad_files_are_refused_by_name_by_all_readers(
    reader: Callable[[], VideoReader], broken: dict[Path, tuple[str, str]]
) -> None:
    for path in broken:
        if path.name in ("cut.mkv", "cut.avi"):  # shorter films without a fault for a reader
            continue
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


def test_a_file_that_holds_up_its_process_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("never.mp4", "good.mp4"):
        make(tmp_path / name)
    (tmp_path / "text.mp4").write_text("nothing")
    plain = Worker.give

    def give(worker: Worker, task: tuple[int, Path] | None) -> bool:
        if task and task[1].name == "never.mp4":
            os.kill(worker.process.pid or 0, signal.SIGSTOP)  # as a decoder that goes round
        return plain(worker, task)

    monkeypatch.setattr(Worker, "give", give)
    paths = [tmp_path / name for name in ("never.mp4", "text.mp4", "good.mp4")]
    found = dict(examine_all(paths, workers=1, limit=3.0))
    assert found[0].kind == "slow"
    assert "3 s" in found[0].reason
    assert (found[1].kind, found[2].kind) == ("unreadable", "")


@pytest.mark.parametrize("reader", READERS)
def test_a_pipe_is_no_video(reader: Callable[[], VideoReader], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")  # opening it would wait for a writer that never comes
    assert examine(tmp_path / "pipe.mp4").reason == "no regular file"
    with pytest.raises(UserError, match=r"pipe\.mp4.*no regular file"):
        reader().count(tmp_path / "pipe.mp4")


def test_a_decoder_that_crashes_takes_only_its_own_video(tmp_path: Path) -> None:
    make(tmp_path / "good.mp4")
    worker = Worker(examined)
    while not worker.idle:
        worker.result(worker.pipe.poll(1), 60.0)
    pid = worker.process.pid or 0
    os.kill(pid, signal.SIGSTOP)
    worker.give((7, tmp_path / "good.mp4"))
    os.kill(pid, signal.SIGKILL)
    found = worker.result(worker.pipe.poll(60), 60.0)
    worker.close()
    assert worker.ended
    assert found == (7, Lost("crash", "the decoder crashed (exit code -9)"))


def frames_folder(folder: Path, count: int = 12, prefix: str = "img_") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(picture(number, 24, 32)).save(folder / f"{prefix}{number + 1:05d}.png")
    return folder


def peak() -> int:
    """The largest memory of this process so far, in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def stored(folder: Path, format_: Format) -> StoreReader:
    """A reader of a store with the film `a.mp4`."""
    store = folder / "store"
    keeper = StoreWriter(PyAVReader(), folder, store, StoreSettings(None, format_))
    write_index(store, {"a.mp4": keep(keeper, "a.mp4")})
    write_settings(store, keeper.settings)
    return StoreReader(str(store))


def keep(keeper: StoreWriter, path: str) -> Stored:
    kept = keeper(path)
    assert isinstance(kept, Stored)
    return kept


def test_odd_files_are_kept_as_they_are_read_and_bad_ones_by_their_fault(
    odd: list[Path], broken: dict[Path, tuple[str, str]], tmp_path: Path
) -> None:
    folder = odd[0].parent
    keeper = StoreWriter(DecordReader(), folder, tmp_path / "store", StoreSettings(None, "raw"))
    write_settings(keeper.store, keeper.settings)
    write_index(keeper.store, {path.name: keep(keeper, path.name) for path in odd})
    reader = StoreReader(str(keeper.store), str(folder))
    for path in odd:
        count = reader.count(path)
        expected = DecordReader().read(path, [count - 1, 0])
        np.testing.assert_array_equal(reader.read(path, [count - 1, 0]), expected)
    for path in broken:
        if path.name in ("cut.mkv", "cut.avi"):  # shorter films without a fault for a reader
            continue
        failed = replace(keeper, root=path.parent)(path.name)
        assert isinstance(failed, Failed)
        assert str(path) in failed.reason
        assert not failed.disk


@pytest.mark.parametrize(
    "name",
    [
        "DecordReader",
        "PyAVReader",
        pytest.param("TorchCodecReader", marks=needs_torchcodec),
        "FramesReader",
        "raw",
        "jpeg",
    ],
)
def test_memory_stays_flat_over_many_reads(name: str, tmp_path: Path) -> None:
    path = make(tmp_path / "a.mp4")
    if name in ("raw", "jpeg"):
        ours: VideoReader = stored(tmp_path, name)
    else:
        ours = REGISTERED.find(name)()
    if name == "FramesReader":
        path = frames_folder(tmp_path / "f", 8)
    for _ in range(200):
        ours.read(path, [0, 5])
    before = peak()
    for _ in range(2000):
        ours.read(path, [0, 5])
    # One frame kept of each read would be 18 MB, one decoder far more.
    assert peak() - before < 8 * 1024
