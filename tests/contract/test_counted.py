"""FLOP counter covers every operation of every registered component, or it is known to be cheap."""

import pytest

from fsarbench.config.loading import load_config
from fsarbench.profiling.dummy_inputs import build_profiled_model
from fsarbench.profiling.operations import count_testing, count_training
from tests.helpers.combinations import names, values

PAIRS = [(name, "MeanCosine") for name in names("prototypes")]
PAIRS += [("Mean", name) for name in names("matcher")]
NETWORKS = ("frozen_hmdb51_1shot_rn50", "protonet_hmdb51_1shot_imagenet_rn50")


@pytest.mark.parametrize(("prototypes", "matcher"), PAIRS)
def test_prototypes_matchers_and_losses(prototypes: str, matcher: str) -> None:
    profiled = build_profiled_model(values("Frozen", prototypes, matcher))
    assert count_testing(profiled).not_counted == {}
    training = count_training(profiled)
    assert training is not None
    assert training.not_counted == {}
    assert training.weights > 0, "the loss that classifies frames has weights"


@pytest.mark.parametrize("adapter", names("adapter"))
def test_adapters(adapter: str) -> None:
    profiled = build_profiled_model(values(adapter, "Mean", "MeanCosine"))
    assert count_testing(profiled).not_counted == {}
    training = count_training(profiled)
    assert training is not None
    assert training.not_counted == {}


@pytest.mark.parametrize("readout", names("readout"))
def test_readouts(readout: str) -> None:
    chosen = {**values("Frozen", "Mean", "MeanCosine"), "readout": {"type": readout}}
    assert count_testing(build_profiled_model(chosen)).not_counted == {}


@pytest.mark.parametrize("config", NETWORKS)
def test_convolutional_networks(config: str) -> None:
    counted = count_testing(build_profiled_model(load_config(config, ["clips.frames=1"]).values))
    assert counted.not_counted == {}
    # ResNet-50 has 4.1 GMAC a frame; CLIP's has another stem, and attention to pool.
    assert 2 * 4.0e9 < counted.query_video < 2 * 6.5e9
