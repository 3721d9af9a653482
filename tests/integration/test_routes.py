"""Every method on synthact: cached against uncached evaluation.

`FSARBENCH_TEST_EPISODES=500` takes the built-in videos and so many episodes; without it a few
episodes of noise stand in.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import UInt8

from fsarbench.catalogue.package_data import resource
from fsarbench.config.build import assemble, build_model
from fsarbench.config.loading import load_config
from fsarbench.data.data_module import DataModule
from fsarbench.evaluation.cache_policy import choose_cache_policy
from fsarbench.evaluation.evaluate import evaluate
from fsarbench.model import FewShotModel, trainable_parameters
from fsarbench.settings import EvaluateSettings
from fsarbench.video import VideoReader
from tests.helpers.toy_model import toy_data_module

EPISODES = int(os.environ.get("FSARBENCH_TEST_EPISODES", "0"))
CONFIGS = sorted(path.stem for path in resource("configs").glob("*_synthact_*.py"))
FEW = EvaluateSettings(episodes=EPISODES or 4, workers=0)
CPU = torch.device("cpu")


class Remembering(VideoReader):
    """Decode each clip once, because the test compares only later stages."""

    def __init__(self, reader: VideoReader) -> None:
        self.reader = reader
        self.clips: dict[tuple[Path, tuple[int, ...]], UInt8[np.ndarray, "T H W 3"]] = {}
        self.counts: dict[Path, int] = {}

    def count(self, path: Path) -> int:
        if path not in self.counts:
            self.counts[path] = self.reader.count(path)
        return self.counts[path]

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        key = (path, tuple(int(index) for index in indices))
        if key not in self.clips:
            self.clips[key] = self.reader.read(path, indices)
        return self.clips[key]


def made(config: str) -> tuple[FewShotModel, DataModule]:
    loaded = load_config(config, [] if EPISODES else ["clips.frames=4"])
    torch.manual_seed(0)
    if EPISODES:
        model, data_module, _ = assemble(loaded, CPU)
        data_module = replace(data_module, reader=Remembering(data_module.reader))
    else:
        model, toy = build_model(loaded.values, 8), toy_data_module()
        data_module = replace(toy, clips=replace(toy.clips, frames=4, size=64, resize=64))
    # Zero-initialised adapters would hide what they do.
    with torch.no_grad():
        for parameter in trainable_parameters(model).values():
            parameter.add_(torch.randn_like(parameter), alpha=0.02)
    return model, data_module


@pytest.mark.parametrize("config", CONFIGS)
def test_both_routes_score_alike(config: str) -> None:
    model, data_module = made(config)
    if not choose_cache_policy(model, data_module.clips, "auto").cached:
        assert config.startswith("taskadapter")
        return
    once = evaluate(model, data_module, "test", FEW)
    anew = evaluate(model, data_module, "test", replace(FEW, cache=False))
    assert (once.route.cached, anew.route.cached) == (True, False)
    assert np.ptp(anew.scores) > 1e-3
    worst = np.abs(once.scores - anew.scores).max()
    best = np.sort(anew.scores, axis=-1)
    flips = once.predictions != anew.predictions
    print(f"{config}: {flips.size} queries, {flips.sum()} flips, largest difference {worst:.1e}")
    assert worst < 1e-5 * max(1, np.abs(anew.scores).max())
    # A prediction may differ where the two best scores do not.
    assert (best[..., -1] - best[..., -2])[flips].max(initial=0) < 1e-5


@pytest.fixture(scope="module")
def mafsar() -> tuple[FewShotModel, DataModule]:
    return made("mafsar_synthact_1shot")


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.skipif(EPISODES > 0, reason="noise is enough")
@pytest.mark.parametrize(
    "other",
    [{"workers": 1}, {"workers": 2}, {"workers": 4}, {"batch_size": 1}, {"batch_size": 256}],
)
def test_workers_and_batches_change_no_prediction(
    mafsar: tuple[FewShotModel, DataModule], other: dict[str, int]
) -> None:
    settings = replace(FEW, episodes=20)
    one = evaluate(*mafsar, "test", settings)
    two = evaluate(*mafsar, "test", replace(settings, **other))
    np.testing.assert_array_equal(one.predictions, two.predictions)
    if "workers" in other:
        np.testing.assert_array_equal(one.scores, two.scores)
