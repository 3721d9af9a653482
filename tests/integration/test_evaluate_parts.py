"""Cached features against encoding anew, with the parts that configs are made of."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fsarbench.assembly import build_model
from fsarbench.engine.bench import Bench
from fsarbench.engine.evaluate import evaluate_all
from fsarbench.engine.settings import EvaluateSettings
from fsarbench.model import FewShotModel, tuned_parameters
from tests.unit.engine.conftest import toy_bench

TINY = {"model": "fsarbench-tiny"}
PARTS = {
    "frozen": {"prototypes": {"type": "Mean"}, "matcher": {"type": "MeanCosine"}},
    "st-adapter": {
        "adapter": {"type": "STAdapter"},
        "prototypes": {"type": "Mean"},
        "matcher": {"type": "OTAM"},
    },
    "ma-fsar": {
        "adapter": {"type": "FineGrainedMultimodal"},
        "text_encoder": {"type": "OpenClipText", **TINY},
        "prototypes": {"type": "TextGuided"},
        "matcher": {"type": "OTAM"},
        "readout": {"type": "ArithmeticFusion", "alpha": 0.5},
    },
}


@pytest.fixture(params=PARTS)
def model(request: pytest.FixtureRequest) -> FewShotModel:
    torch.manual_seed(0)
    values = {
        "backbone": {"type": "OpenClipViT", **TINY},
        "readout": {"type": "MatchOnly"},
        "clips": {"frames": 3},
        **PARTS[request.param],
    }
    made = build_model(values)
    # Zero-initialised adapters would hide what they do.
    with torch.no_grad():
        for parameter in tuned_parameters(made).values():
            parameter.add_(torch.randn_like(parameter), alpha=0.02)
    return made


@pytest.fixture
def bench() -> Bench:
    toy = toy_bench()
    return replace(toy, clips=replace(toy.clips, size=64, resize=64))


def test_both_routes_give_the_same_numbers(model: FewShotModel, bench: Bench) -> None:
    # With one shot, what a builder makes of a class may be cached as well.
    settings = EvaluateSettings(episodes=5, workers=0, chunk=4, shots=[1])
    pairs = zip(
        evaluate_all(model, bench, "test", settings),
        evaluate_all(model, bench, "test", replace(settings, cache=False)),
        strict=True,
    )
    for once, anew in pairs:
        assert once.route.cached
        assert not anew.route.cached
        assert np.ptp(anew.scores) > 1e-3
        np.testing.assert_allclose(once.scores, anew.scores, atol=1e-5)
