"""Operations and memory of whole assemblies."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch.optim import AdamW

from fsarbench.profiling.dummy_inputs import ProfiledModel, loss_of, random_episode, random_on
from fsarbench.profiling.memory import (
    Peak,
    computed_testing,
    computed_training,
    ledger_of_training,
)
from fsarbench.profiling.operations import count_testing, count_training

Small = Callable[..., ProfiledModel]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def subject(small: Small) -> ProfiledModel:
    return small()


@pytest.fixture(scope="module")
def peak(subject: ProfiledModel) -> Peak:
    found = computed_training(subject, False)
    assert found is not None
    return found


def test_an_episode_is_the_sum_of_its_slots_and_of_its_videos(subject: ProfiledModel) -> None:
    counted = count_testing(subject)
    assert sum(counted.slots.values()) == counted.episode
    videos = 2 * (counted.support_video + counted.query_video)
    rest = sum(counted.slots[slot] for slot in ("prototypes", "matcher", "readout"))
    assert counted.episode == videos + rest
    assert counted.text_class > 0
    assert counted.slots["adapter"] > 0
    assert not counted.not_counted


def test_training_costs_a_forward_pass_and_the_gradients(subject: ProfiledModel) -> None:
    counted = count_training(subject)
    assert counted is not None
    assert counted.step == counted.forward + counted.weights + counted.through
    # Most weights are frozen, but gradients pass through them.
    assert 0 < counted.weights < counted.through < counted.forward * 1.1
    assert not counted.not_counted


def test_full_fine_tuning_spends_more_on_gradients_of_weights(small: Small) -> None:
    tuned, full = count_training(small()), count_training(small(method="finetune"))
    assert tuned is not None
    assert full is not None
    assert full.weights > 5 * tuned.weights
    assert full.weights == pytest.approx(full.forward, rel=0.1)


def test_only_the_last_blocks_tuned_nothing_is_passed_on_below(small: Small) -> None:
    # MA-FSAR's temporal embedding would be tuned before all blocks; LoRA has none.
    whole = count_training(small(method="lora"))
    last = count_training(small("adapter.blocks=[3]", method="lora"))
    assert whole is not None
    assert last is not None
    assert last.through < 0.4 * whole.through


def test_recomputation_is_counted_and_saves_memory(
    small: Small, subject: ProfiledModel, peak: Peak
) -> None:
    lean = small("train.checkpointing=True")
    counted = count_training(subject), count_training(lean)
    assert counted[0] is not None
    assert counted[1] is not None
    assert counted[1].forward == counted[0].forward
    assert counted[1].weights == counted[0].weights
    assert counted[1].through > 1.5 * counted[0].through
    assert computed_training(lean, False).activations < 0.5 * peak.activations


def test_what_cannot_be_trained_has_no_step(small: Small) -> None:
    subject = small(method="frozen")
    assert count_training(subject) is None
    assert computed_training(subject, False) is None
    assert computed_testing(subject, False).gradients == 0


def test_computed_memory_is_that_of_real_tensors(subject: ProfiledModel, peak: Peak) -> None:
    model = random_on(subject.model, CPU).train()
    episode = random_episode(subject.episode("train"), CPU)
    optimiser = AdamW([p for p in model.parameters() if p.requires_grad], fused=True)
    real = ledger_of_training(model, optimiser, episode, partial(loss_of, model, episode))
    assert peak == real


def test_a_peak_is_the_sum_of_its_kinds(subject: ProfiledModel, peak: Peak) -> None:
    kinds = peak.weights, peak.inputs, peak.gradients, peak.optimiser, peak.activations
    assert sum(kinds) == peak.total
    weights = [*subject.model.parameters(), *subject.model.buffers()]
    assert peak.weights == sum(t.numel() * t.element_size() for t in weights)
    tuned = sum(p.numel() for p in subject.model.parameters() if p.requires_grad)
    assert peak.optimiser == pytest.approx(2 * 4 * tuned, rel=0.01)


def test_half_precision_keeps_less(subject: ProfiledModel, peak: Peak) -> None:
    assert computed_training(subject, half=True).activations < 0.95 * peak.activations


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("method", ["mafsar", "finetune"])
def test_the_allocator_of_a_gpu_agrees(small: Small, method: str) -> None:
    from fsarbench.profiling.timing import Stand, measure_training

    overrides = "backbone.model='ViT-B-32'", "text_encoder.model='ViT-B-32'", "episodes.way=5"
    subject = small(*overrides, "train.precision='fp32'", method=method)
    device = torch.device("cuda")
    stand = Stand(subject, device, False, repeats=2, warmup=1)
    model = random_on(subject.model, device).train()
    memory = measure_training(stand, model)["train_step"].memory
    computed = computed_training(subject, False)
    assert memory.tensors == pytest.approx(computed.total, rel=0.1)
