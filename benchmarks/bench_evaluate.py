"""10,000 test episodes: cached against uncached evaluation, and matching alone.

Both include decoding and encoding, in one process with one thread. Times are CPU seconds, which
depend little on the load of the machine; on a GPU wall-clock seconds. Uncached evaluation takes
hours: it is measured on a few episodes, without one-time work, and extrapolated. Run without the
shape checks, which take time::

    pytest -o addopts= benchmarks/bench_evaluate.py
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fsarbench.config.build import assemble, build_component
from fsarbench.config.loading import load_config
from fsarbench.data.data_module import DataModule
from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
from fsarbench.evaluation.episode_arrays import Evaluation, draw_episode_arrays
from fsarbench.evaluation.evaluate import evaluate
from fsarbench.evaluation.feature_cache import Features
from fsarbench.evaluation.matching import compute_per_video, match_episodes
from fsarbench.model import FewShotModel
from fsarbench.profiling.timing import synchronize
from fsarbench.runtime.progress import ProgressBar
from fsarbench.settings import EvaluateSettings
from fsarbench.video import Split, Video

Say = Callable[[str], None]
# The test classes and videos of SSv2-Full.
CLASSES, VIDEOS = 24, 2857
FRAMES, DIM = 8, 512


@dataclass(frozen=True)
class Lengths:
    """Size of the test.

    Attributes:
        episodes: Episodes of cached evaluation and of the extrapolation.
        uncached: Measured episodes of uncached evaluation.
        videos: Videos per class of synthact; None for all.
    """

    episodes: int
    uncached: int
    videos: int | None


@pytest.fixture(scope="module")
def lengths(request: pytest.FixtureRequest) -> Lengths:
    """Sizes of the test; small if benchmarks are disabled."""
    off = request.config.getoption("benchmark_disable")
    return Lengths(200, 3, 3) if off else Lengths(10_000, 30, None)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def assembled(
    lengths: Lengths, device: torch.device, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[FewShotModel, DataModule]]:
    with pytest.MonkeyPatch.context() as patch:
        sets = []
        if lengths.videos is not None:
            patch.setenv("FSARBENCH_DATA", str(tmp_path_factory.mktemp("data")))
            names = ("train", "val", "test")
            sets = [f"dataset.{name}_videos={lengths.videos}" for name in names]
        model, data_module, _ = assemble(load_config("mafsar_synthact_1shot", sets), device)
        yield model, data_module


def now(device: torch.device) -> float:
    if device.type == "cpu":
        return time.process_time()
    synchronize(device)
    return time.perf_counter()


def timed(
    model: FewShotModel, data_module: DataModule, settings: EvaluateSettings
) -> tuple[float, Evaluation]:
    start = now(data_module.device)
    tested = evaluate(model, data_module, "test", settings)
    return now(data_module.device) - start, tested


def test_every_video_once_against_every_episode_anew(
    say: Say, assembled: tuple[FewShotModel, DataModule], lengths: Lengths
) -> None:
    cached = EvaluateSettings(episodes=lengths.episodes, workers=0)
    fast, tested = timed(*assembled, cached)
    anew = replace(cached, cache=False)
    fixed, _ = timed(*assembled, replace(anew, episodes=1))
    some, again = timed(*assembled, replace(anew, episodes=lengths.uncached + 1))
    np.testing.assert_allclose(tested.scores[: len(again.scores)], again.scores, atol=1e-5)
    each = (some - fixed) / lengths.uncached
    slow = fixed + each * (lengths.episodes - 1)
    say(
        f"synthact, fsarbench-tiny, MA-FSAR, {lengths.episodes:,} episodes 5-way 1-shot, one query "
        f"per class: {slow / fast:.0f} times faster. Cached: {fast:.1f} s; uncached: {slow:,.0f} "
        f"s, extrapolated from {1e3 * each:.0f} ms per episode"
    )


def test_encoding_in_bf16(
    say: Say, assembled: tuple[FewShotModel, DataModule], lengths: Lengths
) -> None:
    exact = EvaluateSettings(episodes=lengths.episodes, workers=0)
    half = replace(exact, precision="bf16")
    # Alternating, because the first test also opens the videos for the first time.
    tests = [timed(*assembled, settings) for settings in (exact, half) * 3]
    (plain, want), (fast, got) = (
        min(tests[first::2], key=lambda pair: pair[0]) for first in (0, 1)
    )
    changed = (want.scores.argmax(-1) != got.scores.argmax(-1)).mean()
    say(
        f"synthact, fsarbench-tiny, MA-FSAR, random heads, {lengths.episodes:,} cached episodes, "
        f"evaluate.precision bf16 against fp32: {plain / fast:.2f} times faster, {changed:.2%} of "
        f"the predictions change, scores by at most {np.abs(want.scores - got.scores).max():.2g}"
    )


def fake_split() -> Split:
    names = tuple(f"class {number}" for number in range(CLASSES))
    videos = [Video(f"{n}", Path(f"{n}.mp4"), n % CLASSES) for n in range(VIDEOS)]
    return Split("test", names, names, tuple(videos))


def fake_model() -> FewShotModel:
    torch.manual_seed(0)
    sizes = {"dim": DIM, "text_dim": DIM, "frames": FRAMES}
    return FewShotModel(
        backbone=build_component("backbone", {"type": "OpenClipViT", "model": "fsarbench-tiny"}),
        prototypes=build_component("prototypes", {"type": "TextGuided"}, sizes),
        matcher=build_component("matcher", {"type": "OTAM"}, sizes),
        readout=build_component("readout", {"type": "ArithmeticFusion", "alpha": 0.5}, sizes),
        losses={},
        text_encoder=None,
    ).eval()


def test_prototypes_and_matching_alone(say: Say, lengths: Lengths, device: torch.device) -> None:
    model, draw = fake_model().to(device), torch.Generator().manual_seed(0)
    features = torch.randn(VIDEOS, FRAMES, DIM, generator=draw).to(device)
    text = torch.randn(CLASSES, 1, DIM, generator=draw).to(device)
    kind = EpisodeSettings(way=5, shot=1, queries=1)
    plan = draw_episode_arrays(EpisodeSampler(fake_split(), kind, 0), lengths.episodes)
    named = {"frames": features}
    both, chunk = Features(named, named), EvaluateSettings().chunk
    with torch.no_grad():
        start = now(device)
        labels = np.array([video.label for video in fake_split().videos], dtype=np.int64)
        prepared = compute_per_video(model, both, [plan], labels, text)
        bar = ProgressBar("match", len(plan))
        scores = match_episodes(model, both, plan, text, chunk, bar, prepared)
        spent = now(device) - start
    assert scores.shape == (lengths.episodes, 5, 5)
    where = "one core" if device.type == "cpu" else device
    say(
        f"TPCM and OTAM, width {DIM}, {FRAMES} frames, {VIDEOS:,} cached videos, "
        f"{lengths.episodes:,} episodes 5-way 1-shot, one query per class: {spent:.1f} s of {where}"
    )
