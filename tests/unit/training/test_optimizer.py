import math
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR

from fsarbench.model import FewShotModel
from fsarbench.settings import TrainSettings
from fsarbench.training.optimizer import (
    build_optimizer,
    learning_rates,
    lr_factor,
    parameter_groups,
    set_learning_rate,
)

Build = Callable[..., FewShotModel]
SETTINGS = TrainSettings(episodes=20, lr=0.1, trunk_lr=0.001, weight_decay=0.2)


def test_groups_separate_trunk_and_rest_and_biases_do_not_decay(build: Build) -> None:
    model = build()
    model.backbone.trunk.requires_grad_(True)
    groups = {
        (group["lr"], group["weight_decay"]): [tuple(p.shape) for p in group["params"]]
        for group in parameter_groups(model, SETTINGS)
    }
    assert groups == {
        (0.1, 0.2): [(6, 6)],
        (0.1, 0.0): [(6,)],
        (0.001, 0.2): [(6, 3)],
        (0.001, 0.0): [(6,)],
    }


def test_frozen_parameters_are_not_optimized(build: Build) -> None:
    parameters = [p for group in parameter_groups(build(), SETTINGS) for p in group["params"]]
    assert sum(p.numel() for p in parameters) == 6 * 6 + 6


def factors(settings: TrainSettings, processes: int = 1) -> list[float]:
    steps = -(-settings.episodes // (processes * settings.accumulate))
    return [lr_factor(step, settings, processes) for step in range(steps)]


@pytest.mark.parametrize("schedule", ["cosine", "constant", "multistep"])
def test_warmup_rises_to_the_peak_before_the_schedule(schedule: str) -> None:
    settings = TrainSettings(episodes=20, warmup=4, schedule=schedule, milestones=(10, 15))
    rates = factors(settings)
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    expected = {
        "constant": [1.0] * 15,
        "multistep": [1.0] * 5 + [0.1] * 5 + [0.01] * 5,
        "cosine": [0.5 * (1 + math.cos(math.pi * step / 16)) for step in range(1, 16)],
    }
    assert rates[5:] == pytest.approx(expected[schedule], rel=1e-12)


def test_the_cosine_equals_that_of_torch() -> None:
    settings = TrainSettings(episodes=60, accumulate=2, lr=0.1, warmup=10)
    reference = SGD([nn.Parameter(torch.zeros(1))], lr=settings.lr)
    scheduler = CosineAnnealingLR(reference, T_max=25)
    for factor in factors(settings)[5:]:
        assert settings.lr * factor == pytest.approx(reference.param_groups[0]["lr"], abs=1e-12)
        reference.step()
        scheduler.step()


def test_lengths_are_in_episodes_over_all_processes_and_accumulation() -> None:
    settings = TrainSettings(episodes=40, accumulate=2, schedule="multistep", milestones=[20])
    assert factors(settings, processes=2) == pytest.approx([1.0] * 5 + [0.1] * 5)


def test_a_repeated_milestone_is_applied_twice() -> None:
    settings = TrainSettings(episodes=6, schedule="multistep", milestones=[2, 4, 4])
    assert factors(settings) == pytest.approx([1, 1, 0.1, 0.1, 0.001, 0.001])


def test_each_group_has_its_peak_learning_rate(build: Build) -> None:
    model = build()
    model.backbone.trunk.requires_grad_(True)
    optimizer = build_optimizer(model, SETTINGS)
    for factor in (0.5, 0.25):
        set_learning_rate(optimizer, factor)
        assert learning_rates(optimizer) == {"lr": 0.1 * factor, "trunk_lr": 0.001 * factor}
