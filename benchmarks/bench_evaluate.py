"""10,000 test episodes: each video encoded once, against every episode anew; matching alone.

Decoding and encoding count on both sides, in one process of one thread, in seconds of CPU, for
which it matters little what else the machine does; on a GPU in seconds of the clock. The long
way takes hours: it is measured on a few episodes, without what comes once, and extrapolated. Run
without the shape contracts, which cost time::

    pytest -o addopts= benchmarks/bench_evaluate.py
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fsarbench.config.build import assemble, build_part
from fsarbench.config.loading import load_config
from fsarbench.data.data_module import DataModule
from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
from fsarbench.evaluation.episode_arrays import Evaluation, draw_episode_arrays
from fsarbench.evaluation.evaluate import evaluate
from fsarbench.evaluation.feature_cache import Features
from fsarbench.evaluation.matching import compute_per_video, match_episodes
from fsarbench.model import FewShotModel
from fsarbench.profiling.timing import finish
from fsarbench.runtime.progress import ProgressBar
from fsarbench.settings import EvaluateSettings
from fsarbench.video import Split, Video

Say = Callable[[str], None]
# The test classes and videos of SSv2-Full.
CLASSES, VIDEOS = 24, 2857
FRAMES, DIM = 8, 512


@dataclass(frozen=True)
class Lengths:
    """How much is tested.

    Attributes:
        episodes: By the cached route, and of the extrapolation.
        anew: Encoded anew.
        videos: Of a class of synthact; None for all.
    """

    episodes: int
    anew: int
    videos: int | None


@pytest.fixture(scope="module")
def lengths(request: pytest.FixtureRequest) -> Lengths:
    """A few where nothing is measured."""
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
    finish(device)
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
    some, again = timed(*assembled, replace(anew, episodes=lengths.anew + 1))
    np.testing.assert_allclose(tested.scores[: len(again.scores)], again.scores, atol=1e-5)
    each = (some - fixed) / lengths.anew
    slow = fixed + each * (lengths.episodes - 1)
    say(
        f"synthact, fsarbench-tiny, MA-FSAR, {lengths.episodes:,} episodes 5-way 1-shot, one query "
        f"a class: {slow / fast:.0f} times faster. Each video once: {fast:.1f} s; every episode "
        f"anew: {slow:,.0f} s, extrapolated from {1e3 * each:.0f} ms an episode"
    )


def fake_split() -> Split:
    names = tuple(f"class {number}" for number in range(CLASSES))
    videos = [Video(f"{n}", Path(f"{n}.mp4"), n % CLASSES) for n in range(VIDEOS)]
    return Split("test", names, names, tuple(videos))


def fake_model() -> FewShotModel:
    torch.manual_seed(0)
    sizes = {"dim": DIM, "text_dim": DIM, "frames": FRAMES}
    return FewShotModel(
        backbone=build_part("backbone", {"type": "OpenClipViT", "model": "fsarbench-tiny"}),
        prototypes=build_part("prototypes", {"type": "TextGuided"}, sizes),
        matcher=build_part("matcher", {"type": "OTAM"}, sizes),
        readout=build_part("readout", {"type": "ArithmeticFusion", "alpha": 0.5}, sizes),
        losses={},
        text_encoder=None,
    ).eval()


def test_prototypes_and_matching_alone(say: Say, lengths: Lengths, device: torch.device) -> None:
    model, draw = fake_model().to(device), torch.Generator().manual_seed(0)
    features = torch.randn(VIDEOS, FRAMES, DIM, generator=draw).to(device)
    text = torch.randn(CLASSES, DIM, generator=draw).to(device)
    kind = EpisodeSettings(way=5, shot=1, queries=1)
    plan = draw_episode_arrays(EpisodeSampler(fake_split(), kind, 0), lengths.episodes)
    both, chunk = Features(features, features), EvaluateSettings().chunk
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
        f"{lengths.episodes:,} episodes 5-way 1-shot, one query a class: {spent:.1f} s of {where}"
    )
