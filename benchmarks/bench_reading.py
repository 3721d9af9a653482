"""Clips a second of every reader, cold and warm, on films of 256 pixels and on `synthact`.

A clip is 8 frames, found out (count), read, resized to a short side of 256 and cropped to 224
pixels (128 and 112 on `synthact`), in one process of one thread. Warm counts seconds of CPU, for
which it matters little what else the machine does. Cold counts seconds of the clock, in a process
that has opened nothing before, with the files put out of the system's memory. Run without the shape
contracts, which cost time::

    pytest -o addopts= benchmarks/bench_reading.py
"""

import multiprocessing
import time
from collections.abc import Callable

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.films import FORMS, Form, films
from fsarbench.data.clips import ClipSettings, load_clip, segment_frames
from fsarbench.data.datasets.synthact import SynthAct

Say = Callable[[str], None]
CLIPS = {
    "256-pixel mp4": ClipSettings(frames=8, size=224, resize=256),
    "synthact": ClipSettings(frames=8, size=112, resize=128),
}


@pytest.fixture(scope="module", params=CLIPS)
def data(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, Form]]:
    folder = tmp_path_factory.mktemp("films")
    if request.param == "synthact":
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FSARBENCH_DATA", str(folder))
            videos = SynthAct(1, 1, 1).splits()["train"].videos
        paths = tuple(video.path for video in videos)
    else:
        paths = films(folder)
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


def test_warm(benchmark: BenchmarkFixture, data: tuple[str, dict[str, Form]], say: Say) -> None:
    """All readers take turns, so that they see the same machine."""
    name, forms = data
    least: dict[str, list[float]] = {form: [1e9, 1e9] for form in forms}
    for _ in range(4):
        for form, made in forms.items():
            for place, work in enumerate(
                (lambda m=made: read_only(m), lambda m=made: whole_clips(m, CLIPS[name]))
            ):
                start = time.process_time()
                work()
                least[form][place] = min(least[form][place], time.process_time() - start)
    for form, (reading, clip) in least.items():
        count = len(forms[form].paths)
        faster = least["decord"][0] / reading, least["decord"][1] / clip
        say(
            f"{name}, warm, {form}: frames of {count / reading:.0f} clips/s "
            f"({faster[0]:.1f} x decord), whole clips {count / clip:.0f}/s ({faster[1]:.1f} x)"
        )
    if name == "256-pixel mp4":
        assert least["decord"][0] > 5 * least["store, raw"][0]
    benchmark.pedantic(read_only, (forms["store, raw"],), rounds=3)


def first_seconds(pipe: "multiprocessing.connection.Connection", form: Form) -> None:
    start = time.perf_counter()
    read_only(form)
    pipe.send(time.perf_counter() - start)


def test_cold(data: tuple[str, dict[str, Form]], say: Say) -> None:
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
