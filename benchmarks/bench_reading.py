"""Clips per CPU second of every reader on several kinds of files, in one run.

For a clip, the frames are counted, 8 are read, resized to a short side of 256 and cropped to 224
pixels (128 and 112 on `synthact`), in one process with one thread. The readers alternate, and the
least of the rounds counts. CPU seconds depend little on the load of the machine. Cold: wall-clock
seconds of a new process, with files that are not in the page cache. Run without the shape checks,
which take time::

    pytest -o addopts= benchmarks/bench_reading.py --results
    python -m benchmarks.tables
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.videos import (
    COUNT,
    FORMS,
    Form,
    avi_videos,
    b_frame_videos,
    benchmark_videos,
    long_video,
    open_group_videos,
)
from fsarbench.data.clips import ClipSettings, load_clip, segment_frames
from fsarbench.data.datasets.synthetic import SynthAct
from fsarbench.data.readers import streams
from fsarbench.data.readers.pyav_reader import decode_from_start

Say = Callable[[str], None]
Record = Callable[[str, str, list[float], dict[str, Any]], None]
LIBRARIES = ("torchcodec, seeking", "decord, seeking")
AGAIN = "PyAVReader, again"


def synthact(folder: Path, count: int) -> tuple[Path, ...]:
    """Training videos of the built-in data set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSARBENCH_DATA", str(folder))
        return tuple(v.path for v in SynthAct(1, 1, 1).splits()["train"].videos[: 4 * count])


def long_videos(folder: Path, count: int) -> tuple[Path, ...]:
    """One video of a minute; of two seconds if there is little to measure."""
    return (long_video(folder / "long.mp4", seconds=60 if count > 1 else 2),)


KINDS: dict[str, Callable[[Path, int], tuple[Path, ...]]] = {
    "256-pixel mp4, B-frames": b_frame_videos,
    "256-pixel mp4, no B-frames": benchmark_videos,
    "720p mp4, 60 s": long_videos,
    "256-pixel mp4, open groups of 12": open_group_videos,
    "XviD AVI, one key frame": avi_videos,
    "XviD AVI, a key frame every 12": lambda folder, count: avi_videos(folder, count, 12),
    "synthact": synthact,
}


def clip_settings(kind: str) -> ClipSettings:
    """Size of the clips."""
    size, resize = (112, 128) if kind == "synthact" else (224, 256)
    return ClipSettings(frames=8, size=size, resize=resize)


@pytest.fixture(scope="module", params=KINDS)
def data(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, Form]]:
    kind = request.param
    count = 1 if request.config.getoption("benchmark_disable") else COUNT
    paths = KINDS[kind](tmp_path_factory.mktemp("videos"), count)
    # Extracted at full size, all frames of the long video would not fit into memory.
    left_out = "extracted JPEG" if kind.startswith("720p") else ""
    return kind, {name: make(paths) for name, make in FORMS.items() if name != left_out}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def read_frames(form: Form) -> list[np.ndarray]:
    """The frames of one clip of each video."""
    return [form.reader.read(p, segment_frames(form.reader.count(p), 8)) for p in form.paths]


def cpu_seconds(form: Form, clips: ClipSettings) -> tuple[float, float]:
    """CPU seconds of reading the frames of one clip of each video, and of making whole clips."""
    start = time.process_time()
    read_frames(form)
    middle = time.process_time()
    for path in form.paths:
        load_clip(form.reader, path, clips)
    return middle - start, time.process_time() - middle


def forget() -> None:
    """Forget what our readers know of files, as a new process does."""
    streams._indexed.cache_clear()
    streams._decoded.cache_clear()
    streams._KEPT.clear()


def different_frames(form: Form) -> str:
    """How many of the frames that a reader returns differ from those of FFmpeg."""
    different = total = 0
    for path in form.paths:
        expected = decode_from_start(path, segment_frames(streams.timeline(path).count, 8))
        try:
            frames = form.reader.read(path, segment_frames(form.reader.count(path), 8))
        except Exception:  # an error of a library
            frames = np.zeros(0)
        same = frames.shape == expected.shape
        different += sum(not (same and np.array_equal(frames[k], expected[k])) for k in range(8))
        total += 8
    return f"{different} of {total}"


def measured(forms: dict[str, Form], clips: ClipSettings, rounds: int) -> dict[str, np.ndarray]:
    """CPU seconds "R 2" of frames and whole clips in each round; the forms alternate."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in [*forms, AGAIN]}
    for _ in range(rounds):
        for name, form in forms.items():
            forget()
            frames, _ = cpu_seconds(form, clips)
            again, whole = cpu_seconds(form, clips)
            seconds[name].append((frames, whole))
            if name == "PyAVReader":
                seconds[AGAIN].append((again, whole))
    return {name: np.array(times) for name, times in seconds.items()}


def busy_worker(pipe: Connection) -> None:
    """Read what the pipe names, twice; the second time in step with the other workers."""
    torch.set_num_threads(1)
    while (form := pipe.recv()) is not None:
        read_frames(form)
        pipe.send("ready")
        pipe.recv()
        forget()
        start = time.process_time()
        read_frames(form)
        pipe.send(time.process_time() - start)


@pytest.fixture(scope="module")
def workers() -> Iterator[list[Connection]]:
    """Pipes to one process per core."""
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in os.sched_getaffinity(0)]
    for _, theirs in pipes:
        context.Process(target=busy_worker, args=(theirs,)).start()
    yield [ours for ours, _ in pipes]
    for ours, _ in pipes:
        ours.send(None)


def busy_seconds(form: Form, workers: list[Connection]) -> float:
    """CPU seconds of reading, with one process per core at the same time; mean of all."""
    for message in (form, "start"):
        for pipe in workers:
            pipe.send(message)
        answers = [pipe.recv() for pipe in workers]
    return float(np.mean(answers))


def test_readers(
    data: tuple[str, dict[str, Form]],
    record: Record,
    rounds: Callable[[int], int],
    workers: list[Connection],
) -> None:
    kind, forms = data
    seconds = measured(forms, clip_settings(kind), rounds(4))
    for name, times in seconds.items():
        form = forms["PyAVReader" if name == AGAIN else name]
        least, clips = times.min(axis=0), len(form.paths)
        stored = name.startswith(("store", "extracted"))
        extra = {
            "clips/s": clips / least[0],
            "whole clips/s": clips / least[1],
            **{
                f"x {lib}": seconds[lib].min(axis=0)[0] / least[0]
                for lib in LIBRARIES
                if lib in seconds
            },
        }
        if name != AGAIN:
            extra["clips/s, all cores busy"] = clips / busy_seconds(form, workers)
        if not stored:
            extra["different"] = different_frames(form)
        record(kind, name, times[:, 0].tolist(), extra)
    ours = [name for name in forms if name.endswith("Reader")]
    assert all(different_frames(forms[name]).startswith("0 of") for name in ours)


def first_seconds(pipe: Connection, form: Form) -> None:
    start = time.perf_counter()
    read_frames(form)
    pipe.send(time.perf_counter() - start)


def test_cold(data: tuple[str, dict[str, Form]], say: Say) -> None:
    kind, forms = data
    if kind != "256-pixel mp4, no B-frames":
        return
    context = multiprocessing.get_context("spawn")
    for label, form in forms.items():
        form.evict()
        ours, theirs = context.Pipe()
        process = context.Process(target=first_seconds, args=(theirs, form))
        process.start()
        seconds = ours.recv()
        process.join()
        say(f"{kind}, cold, {label}: frames of {len(form.paths) / seconds:.0f} clips/s")
