"""AdamW optimizer and learning rate schedules."""

import math
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from fsarbench.model import trainable_parameters
from fsarbench.settings import TrainSettings

TRUNK = "backbone.trunk."
MULTISTEP_FACTOR = 0.1


def build_optimizer(model: nn.Module, settings: TrainSettings) -> AdamW:
    """AdamW optimizer of the trainable parameters, with a fused kernel on a GPU."""
    on_gpu = all(parameter.is_cuda for parameter in trainable_parameters(model).values())
    # On a CPU, the fused kernel is not faster and rounds differently.
    return AdamW(list(parameter_groups(model, settings)), lr=settings.lr, fused=on_gpu or None)


def parameter_groups(model: nn.Module, settings: TrainSettings) -> Iterator[dict[str, Any]]:
    """Yield groups of trainable parameters with the same peak learning rate and weight decay.

    Parameters of the trunk have a separate learning rate. Norms and biases have no weight decay.
    """

    def group(item: tuple[str, Tensor]) -> tuple[bool, bool]:
        return item[0].startswith(TRUNK), item[1].ndim >= 2

    trainable = sorted(trainable_parameters(model).items(), key=group)
    for (trunk, decays), members in groupby(trainable, key=group):
        lr = settings.trunk_lr if trunk else settings.lr
        yield {
            "params": [parameter for _, parameter in members],
            "lr": lr,
            "peak_lr": lr,
            "name": "trunk_lr" if trunk else "lr",
            "weight_decay": settings.weight_decay if decays else 0.0,
        }


def lr_factor(step: int, settings: TrainSettings, processes: int = 1) -> float:
    """Learning rate of an optimizer step as a fraction of the peak: warm-up, then the schedule.

    Args:
        step: Index of the optimizer step, from 0.
        settings: Training settings, with lengths in episodes over all processes.
        processes: Number of processes of the training.

    Example:
        >>> settings = TrainSettings(episodes=10, warmup=1)
        >>> [round(lr_factor(step, settings), 2) for step in range(10)]
        [0.5, 1.0, 0.97, 0.88, 0.75, 0.59, 0.41, 0.25, 0.12, 0.03]
    """
    per_step = processes * settings.accumulate
    total, warmup = -(-settings.episodes // per_step), settings.warmup // per_step
    factor = min(1.0, (step + 1) / (warmup + 1))
    if settings.schedule == "cosine" and step > warmup:
        factor *= (1 + math.cos(math.pi * (step - warmup) / (total - warmup))) / 2
    if settings.schedule == "multistep":
        passed = [episode for episode in settings.milestones if -(-episode // per_step) <= step]
        factor *= MULTISTEP_FACTOR ** len(passed)
    return factor


def set_learning_rate(optimizer: Optimizer, factor: float) -> None:
    """Set the learning rate of each parameter group to a fraction of its peak."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak_lr"] * factor


def learning_rates(optimizer: Optimizer) -> dict[str, float]:
    """Current learning rates by setting, `lr` and `trunk_lr`."""
    return {group["name"]: group["lr"] for group in optimizer.param_groups}
