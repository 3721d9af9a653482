"""Bad and unusual files: each is reported with name and reason; no crash, no hang, no omission."""

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

from fsarbench.data.checking.check_videos import CheckSettings, examine_all, examine_safely
from fsarbench.data.checking.examine import examine
from fsarbench.data.frame_store.formats import Format
from fsarbench.data.frame_store.index import Stored, StoreSettings, write_index, write_settings
from fsarbench.data.frame_store.writer import Failed, StoreWriter
from fsarbench.data.readers.decord_reader import DecordReader
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.data.readers.store_reader import StoreReader
from fsarbench.errors import UserError
from fsarbench.registry import READERS as REGISTERED
from fsarbench.runtime.worker_pool import LostTask, Worker
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
def test_all_readers_return_the_same_frames_of_unusual_files(
    reader: Callable[[], VideoReader], odd: list[Path]
) -> None:
    for path in odd:
        decord, other = DecordReader(), reader()
        count = decord.count(path)
        assert count == other.count(path) == (1 if path.name == "one frame.mp4" else 20)
        indices = [0, count // 2, count - 1]
        first, second = decord.read(path, indices), other.read(path, indices)
        assert first.shape == second.shape, path.name
        np.testing.assert_array_equal(first, second, err_msg=path.name)


@pytest.mark.parametrize("reader", READERS)
def test_frames_are_rotated_by_the_display_matrix(
    reader: Callable[[], VideoReader], odd: list[Path]
) -> None:
    path = next(path for path in odd if path.name == "lying.mp4")
    frame = reader().read(path, [0])[0]
    assert frame.shape == (64, 48, 3)
    # Red is in the upper left of the stored image, so in the upper right after the rotation.
    assert frame[:12, -8:, 0].mean() > 200
    assert frame[:12, :8, 0].mean() < 100


@pytest.mark.parametrize("reader", READERS)
def test_all_readers_reject_bad_files_by_name(
    reader: Callable[[], VideoReader], broken: dict[Path, tuple[str, str]]
) -> None:
    for path in broken:
        if path.name in ("cut.mkv", "cut.avi"):  # truncated, but readable
            continue
        with pytest.raises(UserError) as caught:
            reader().read(path, range(reader().count(path)))
        assert str(path) in str(caught.value)


def test_examination_gives_kind_and_reason_of_each_bad_file(
    broken: dict[Path, tuple[str, str]], odd: list[Path]
) -> None:
    for path, (kind, reason) in broken.items():
        facts = examine(path)
        assert facts.kind == kind, path.name
        assert reason in facts.reason, path.name
        assert facts.reason
    assert [examine(path).kind for path in odd] == [""] * len(odd)


def test_denied_permission_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_video_that_exceeds_the_time_limit_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("never.mp4", "good.mp4"):
        make(tmp_path / name)
    (tmp_path / "text.mp4").write_text("nothing")
    assign = Worker.assign

    def stop_and_assign(worker: Worker, task: tuple[int, Path] | None) -> bool:
        if task and task[1].name == "never.mp4":
            os.kill(worker.process.pid or 0, signal.SIGSTOP)  # like a decoder in an endless loop
        return assign(worker, task)

    monkeypatch.setattr(Worker, "assign", stop_and_assign)
    paths = [tmp_path / name for name in ("never.mp4", "text.mp4", "good.mp4")]
    facts = dict(examine_all(paths, workers=1, limit=3.0))
    assert facts[0].kind == "slow"
    assert "3 s" in facts[0].reason
    assert (facts[1].kind, facts[2].kind) == ("unreadable", "")


@pytest.mark.parametrize("reader", READERS)
def test_a_pipe_is_rejected(reader: Callable[[], VideoReader], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")  # opening it would block, because nothing writes to it
    assert examine(tmp_path / "pipe.mp4").reason == "not a regular file"
    with pytest.raises(UserError, match=r"pipe\.mp4.*not a regular file"):
        reader().count(tmp_path / "pipe.mp4")


def test_a_crashed_decoder_loses_only_its_video(tmp_path: Path) -> None:
    make(tmp_path / "good.mp4")
    worker = Worker(examine_safely)
    while not worker.idle:
        worker.result(worker.pipe.poll(1), 60.0)
    pid = worker.process.pid or 0
    os.kill(pid, signal.SIGSTOP)
    worker.assign((7, tmp_path / "good.mp4"))
    os.kill(pid, signal.SIGKILL)
    result = worker.result(worker.pipe.poll(60), 60.0)
    worker.close()
    assert worker.ended
    assert result == (7, LostTask("crash", "the decoder crashed (exit code -9)"))


def frames_folder(folder: Path, count: int = 12, prefix: str = "img_") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(picture(number, 24, 32)).save(folder / f"{prefix}{number + 1:05d}.png")
    return folder


def peak_memory() -> int:
    """Peak memory of this process in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def store_reader(folder: Path, format_: Format) -> StoreReader:
    """Reader of a store with the video `a.mp4`."""
    store = folder / "store"
    writer = StoreWriter(PyAVReader(), folder, store, StoreSettings(None, format_))
    write_index(store, {"a.mp4": store_video(writer, "a.mp4")})
    write_settings(store, writer.settings)
    return StoreReader(str(store))


def store_video(writer: StoreWriter, path: str) -> Stored:
    result = writer(path)
    assert isinstance(result, Stored)
    return result


def test_unusual_files_are_stored_exactly_and_bad_files_fail_with_a_reason(
    odd: list[Path], broken: dict[Path, tuple[str, str]], tmp_path: Path
) -> None:
    folder = odd[0].parent
    writer = StoreWriter(DecordReader(), folder, tmp_path / "store", StoreSettings(None, "raw"))
    write_settings(writer.store, writer.settings)
    write_index(writer.store, {path.name: store_video(writer, path.name) for path in odd})
    reader = StoreReader(str(writer.store), str(folder))
    for path in odd:
        count = reader.count(path)
        expected = DecordReader().read(path, [count - 1, 0])
        np.testing.assert_array_equal(reader.read(path, [count - 1, 0]), expected)
    for path in broken:
        if path.name in ("cut.mkv", "cut.avi"):  # truncated, but readable
            continue
        failed = replace(writer, root=path.parent)(path.name)
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
        reader: VideoReader = store_reader(tmp_path, name)
    else:
        reader = REGISTERED.find(name)()
    if name == "FramesReader":
        path = frames_folder(tmp_path / "f", 8)
    for _ in range(200):
        reader.read(path, [0, 5])
    before = peak_memory()
    for _ in range(2000):
        reader.read(path, [0, 5])
    # A leak of one frame per read would be 18 MB, a leak of decoders far more.
    assert peak_memory() - before < 8 * 1024
