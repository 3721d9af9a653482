"""AdamW and its learning-rate schedule, from the settings."""

from collections.abc import Iterator
from itertools import groupby

from mmengine.optim import (
    ConstantLR,
    CosineAnnealingLR,
    LinearLR,
    MultiStepLR,
    OptimWrapper,
    _ParamScheduler,
)
from torch import Tensor, nn
from torch.optim import AdamW

from fsarbench.engine.settings import TrainSettings
from fsarbench.model import tuned_parameters

TRUNK = "backbone.trunk."


def build_optimiser(model: nn.Module, settings: TrainSettings) -> OptimWrapper:
    """AdamW over the tuned parameters: trunk and the rest apart, norms and biases undecayed."""
    on_gpu = all(parameter.is_cuda for parameter in tuned_parameters(model).values())
    return OptimWrapper(
        # One kernel a step, without copies; on a CPU it would round otherwise and gain nothing.
        AdamW(list(parameter_groups(model, settings)), lr=settings.lr, fused=on_gpu or None),
        accumulative_counts=settings.accumulate,
        # The norm is wanted in the log also where nothing is clipped.
        clip_grad={"max_norm": settings.clip_grad or float("inf")},
    )


def parameter_groups(model: nn.Module, settings: TrainSettings) -> Iterator[dict[str, object]]:
    """The groups of tuned parameters that share a learning rate and a weight decay."""

    def kind(item: tuple[str, Tensor]) -> tuple[bool, bool]:
        return item[0].startswith(TRUNK), item[1].ndim >= 2

    tuned = sorted(tuned_parameters(model).items(), key=kind)
    for (trunk, decays), members in groupby(tuned, key=kind):
        yield {
            "params": [parameter for _, parameter in members],
            "lr": settings.trunk_lr if trunk else settings.lr,
            "weight_decay": settings.weight_decay if decays else 0.0,
        }


def build_schedule(
    optimiser: OptimWrapper, settings: TrainSettings, ranks: int
) -> list[_ParamScheduler]:
    """Warm-up, then what the settings say, counted in optimiser steps."""
    a_step = ranks * settings.accumulate
    total, warmup = -(-settings.episodes // a_step), settings.warmup // a_step
    steps: list[_ParamScheduler] = []
    if warmup:
        steps.append(LinearLR(optimiser, 1 / (warmup + 1), by_epoch=False, end=warmup + 1))
    if settings.schedule == "cosine":
        steps.append(
            CosineAnnealingLR(
                optimiser, T_max=total - warmup, by_epoch=False, begin=warmup, end=total
            )
        )
    if settings.schedule == "multistep":
        milestones = [-(-episode // a_step) for episode in settings.milestones]
        steps.append(MultiStepLR(optimiser, milestones, gamma=0.1, by_epoch=False))
    return steps or [ConstantLR(optimiser, 1.0, by_epoch=False)]


def iterations(episodes: int, ranks: int) -> int:
    """Iterations of one rank for a number of episodes over all ranks."""
    return -(-episodes // ranks)
