"""FLOPs and peak memory of whole models."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch.optim import AdamW

from fsarbench.profiling.dummy_inputs import (
    ProfiledModel,
    episode_loss,
    random_copy,
    random_episode,
)
from fsarbench.profiling.memory import (
    Peak,
    inference_memory,
    track_training,
    training_memory,
)
from fsarbench.profiling.operations import count_testing, count_training

Small = Callable[..., ProfiledModel]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def profiled(small: Small) -> ProfiledModel:
    return small()


@pytest.fixture(scope="module")
def peak(profiled: ProfiledModel) -> Peak:
    memory = training_memory(profiled, False)
    assert memory is not None
    return memory


def test_flops_of_an_episode_are_the_sum_over_slots_and_over_videos(
    profiled: ProfiledModel,
) -> None:
    counted = count_testing(profiled)
    assert sum(counted.slots.values()) == counted.episode
    videos = 2 * (counted.support_video + counted.query_video)
    rest = sum(counted.slots[slot] for slot in ("prototypes", "matcher", "readout"))
    assert counted.episode == videos + rest
    assert counted.text_class > 0
    assert counted.slots["adapter"] > 0
    assert not counted.not_counted


def test_flops_of_training_are_those_of_forward_pass_and_gradients(profiled: ProfiledModel) -> None:
    counted = count_training(profiled)
    assert counted is not None
    assert counted.step == counted.forward + counted.weights + counted.through
    # Most weights are frozen, but gradients of activations are computed through them.
    assert 0 < counted.weights < counted.through < counted.forward * 1.1
    assert not counted.not_counted


def test_full_fine_tuning_has_more_flops_for_gradients_of_weights(small: Small) -> None:
    adapted, full = count_training(small()), count_training(small(method="finetune"))
    assert adapted is not None
    assert full is not None
    assert full.weights > 5 * adapted.weights
    assert full.weights == pytest.approx(full.forward, rel=0.1)


def test_no_gradients_are_computed_below_the_first_adapted_block(small: Small) -> None:
    # LoRA has no trainable temporal embedding before the blocks, unlike MA-FSAR.
    whole = count_training(small(method="lora"))
    last = count_training(small("adapter.blocks=[3]", method="lora"))
    assert whole is not None
    assert last is not None
    assert last.through < 0.4 * whole.through


def test_recomputation_is_counted_and_saves_memory(
    small: Small, profiled: ProfiledModel, peak: Peak
) -> None:
    checkpointing = small("train.checkpointing=True")
    plain, recomputed = count_training(profiled), count_training(checkpointing)
    assert plain is not None
    assert recomputed is not None
    assert recomputed.forward == plain.forward
    assert recomputed.weights == plain.weights
    assert recomputed.through > 1.5 * plain.through
    assert training_memory(checkpointing, False).activations < 0.5 * peak.activations


def test_a_model_without_training_has_no_training_cost(small: Small) -> None:
    profiled = small(method="frozen")
    assert count_training(profiled) is None
    assert training_memory(profiled, False) is None
    assert inference_memory(profiled, False).gradients == 0


def test_computed_memory_equals_that_of_real_tensors(profiled: ProfiledModel, peak: Peak) -> None:
    model = random_copy(profiled.model, CPU).train()
    episode = random_episode(profiled.episode("train"), CPU)
    optimiser = AdamW([p for p in model.parameters() if p.requires_grad], fused=True)
    real = track_training(model, optimiser, episode, partial(episode_loss, model, episode))
    assert peak == real


def test_a_peak_is_the_sum_of_its_kinds(profiled: ProfiledModel, peak: Peak) -> None:
    kinds = peak.weights, peak.inputs, peak.gradients, peak.optimiser, peak.activations
    assert sum(kinds) == peak.total
    weights = [*profiled.model.parameters(), *profiled.model.buffers()]
    assert peak.weights == sum(t.numel() * t.element_size() for t in weights)
    trainable = sum(p.numel() for p in profiled.model.parameters() if p.requires_grad)
    assert peak.optimiser == pytest.approx(2 * 4 * trainable, rel=0.01)


def test_bf16_reduces_the_memory_of_activations(profiled: ProfiledModel, peak: Peak) -> None:
    assert training_memory(profiled, bf16=True).activations < 0.95 * peak.activations


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("method", ["mafsar", "finetune"])
def test_the_allocator_of_a_gpu_agrees(small: Small, method: str) -> None:
    from fsarbench.profiling.timing import TimingSetup, measure_training

    overrides = "backbone.model='ViT-B-32'", "text_encoder.model='ViT-B-32'", "episodes.way=5"
    profiled = small(*overrides, "train.precision='fp32'", method=method)
    device = torch.device("cuda")
    setup = TimingSetup(profiled, device, False, repeats=2, warmup=1)
    model = random_copy(profiled.model, device).train()
    memory = measure_training(setup, model)["train_step"].memory
    computed = training_memory(profiled, False)
    assert memory.tensors == pytest.approx(computed.total, rel=0.1)
