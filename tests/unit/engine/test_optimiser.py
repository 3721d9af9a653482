from collections.abc import Callable

import pytest
import torch

from fsarbench.engine.optimiser import build_optimiser, build_schedule, parameter_groups
from fsarbench.engine.settings import TrainSettings
from fsarbench.model import FewShotModel

Build = Callable[..., FewShotModel]
SETTINGS = TrainSettings(episodes=20, lr=0.1, trunk_lr=0.001, weight_decay=0.2)


def test_trunk_and_rest_learn_apart_and_biases_do_not_decay(build: Build) -> None:
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


def test_frozen_parameters_are_not_handed_to_the_optimiser(build: Build) -> None:
    given = [p for group in parameter_groups(build(), SETTINGS) for p in group["params"]]
    assert sum(p.numel() for p in given) == 6 * 6 + 6


def rates(model: FewShotModel, settings: TrainSettings, ranks: int = 1) -> list[float]:
    optimiser = build_optimiser(model, settings)
    schedule = build_schedule(optimiser, settings, ranks)
    seen = []
    for _ in range(settings.episodes // ranks // settings.accumulate):
        seen.append(optimiser.get_lr()["lr"][0])
        optimiser.step()
        for step in schedule:
            step.step()
    return seen


@pytest.mark.parametrize("schedule", ["cosine", "constant", "multistep"])
def test_warm_up_rises_to_the_peak_and_the_schedule_follows(build: Build, schedule: str) -> None:
    settings = TrainSettings(episodes=20, lr=0.1, warmup=4, schedule=schedule, milestones=(10, 15))
    seen = rates(build(), settings)
    assert seen[:5] == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1])
    if schedule == "constant":
        assert seen[5:] == pytest.approx([0.1] * 15)
    elif schedule == "multistep":
        assert seen[5:] == pytest.approx([0.1] * 5 + [0.01] * 5 + [0.001] * 5)
    else:
        turns = torch.arange(1, 16) / 16 * torch.pi
        assert seen[5:] == pytest.approx((0.05 * (1 + turns.cos())).tolist(), abs=1e-6)


def test_lengths_count_episodes_of_all_ranks_and_accumulated_ones(build: Build) -> None:
    settings = TrainSettings(
        episodes=40, accumulate=2, lr=0.1, schedule="multistep", milestones=[20]
    )
    assert rates(build(), settings, ranks=2) == pytest.approx([0.1] * 5 + [0.01] * 5)
