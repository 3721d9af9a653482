"""Clips per second of every reader, cold and warm, on videos of 256 pixels and on `synthact`.

For a clip, the frames are counted, 8 are read, resized to a short side of 256 and cropped to 224
pixels (128 and 112 on `synthact`), in one process with one thread. Warm: CPU seconds, which depend
little on the load of the machine. Cold: wall-clock seconds of a new process, with files that are
not in the page cache. Run without the shape checks, which take time::

    pytest -o addopts= benchmarks/bench_reading.py
"""

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.videos import FORMS, READERS, Form, benchmark_videos, long_video
from fsarbench.data.clips import ClipSettings, load_clip, segment_frames
from fsarbench.data.datasets.synthetic import SynthAct

Say = Callable[[str], None]
Data = tuple[str, dict[str, Form]]
CLIPS = {
    "256-pixel mp4": ClipSettings(frames=8, size=224, resize=256),
    "synthact": ClipSettings(frames=8, size=112, resize=128),
}


@pytest.fixture(scope="module", params=CLIPS)
def data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Data:
    folder = tmp_path_factory.mktemp("videos")
    if request.param == "synthact":
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FSARBENCH_DATA", str(folder))
            videos = SynthAct(1, 1, 1).splits()["train"].videos
        paths = tuple(video.path for video in videos)
    else:
        paths = benchmark_videos(folder)
    return request.param, {name: make(paths) for name, make in FORMS.items()}


def read_only(form: Form) -> None:
    for path in form.paths:
        form.reader.read(path, segment_frames(form.reader.count(path), 8))


def whole_clips(form: Form, clips: ClipSettings) -> None:
    for path in form.paths:
        load_clip(form.reader, path, clips)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("form", FORMS)
def test_frames(benchmark: BenchmarkFixture, data: Data, form: str) -> None:
    name, forms = data
    benchmark.group = f"frames of {len(forms[form].paths)} clips, {name}"
    benchmark.pedantic(read_only, (forms[form],), rounds=3)


def test_against_decord(data: Data, say: Say, request: pytest.FixtureRequest) -> None:
    name, forms = data
    rounds = 1 if request.config.getoption("benchmark_disable") else 4
    seconds = {
        form: [cpu_seconds(made, CLIPS[name]) for _ in range(rounds)]
        for form, made in forms.items()
    }
    least = {form: [min(times) for times in zip(*seconds[form], strict=True)] for form in forms}
    for form, (frames, whole) in least.items():
        count = len(forms[form].paths)
        ratios = [
            ours / theirs for ours, theirs in zip(least["decord"], (frames, whole), strict=True)
        ]
        say(
            f"{name}, warm, {form}: frames of {count / frames:.0f} clips/s ({ratios[0]:.1f} x "
            f"decord), whole clips {count / whole:.0f}/s ({ratios[1]:.1f} x)"
        )
    if name == "256-pixel mp4":
        assert least["decord"][0] > 5 * least["store, raw"][0]


def test_long_video(tmp_path: Path, say: Say, rounds: Callable[[int], int]) -> None:
    """8 frames of a long video: readers that seek need not decode all of it."""
    repeats = rounds(4)
    path = long_video(tmp_path / "long.mp4", seconds=60 if repeats > 1 else 2)
    seconds: dict[str, list[float]] = {name: [] for name in READERS}
    frames = {}
    for _ in range(repeats):
        for name, reader in READERS.items():
            start = time.process_time()
            frames[name] = reader.read(path, segment_frames(reader.count(path), 8))
            seconds[name].append(time.process_time() - start)
    fastest = min(min(times) for times in seconds.values())
    for name, times in seconds.items():
        assert np.array_equal(frames[name], frames["PyAV"])
        say(
            f"8 frames of a 60 s video of 720p in H.264, a key frame every 2 s, {name}: "
            f"{min(times):.2f} CPU s ({min(times) / fastest:.2f} x the fastest)"
        )


def cpu_seconds(form: Form, clips: ClipSettings) -> tuple[float, float]:
    """Seconds of reading the frames of all clips, and of whole clips."""
    start = time.process_time()
    read_only(form)
    middle = time.process_time()
    whole_clips(form, clips)
    return middle - start, time.process_time() - middle


def first_seconds(pipe: Connection, form: Form) -> None:
    start = time.perf_counter()
    read_only(form)
    pipe.send(time.perf_counter() - start)


def test_cold(data: Data, say: Say) -> None:
    name, forms = data
    context = multiprocessing.get_context("spawn")
    for label, form in forms.items():
        form.evict()
        ours, theirs = context.Pipe()
        process = context.Process(target=first_seconds, args=(theirs, form))
        process.start()
        seconds = ours.recv()
        process.join()
        say(f"{name}, cold, {label}: frames of {len(form.paths) / seconds:.0f} clips/s")
