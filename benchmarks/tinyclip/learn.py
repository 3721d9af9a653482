"""The training loop."""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch

from .learner import Learner, Losses
from .stream import Batch

SILENT = 0.2  # the share of the time before captions come in


def groups(model: torch.nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weight decay for matrices only."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    return [
        {"params": matrices, "weight_decay": decay},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]


def learn(
    learner: Learner,
    stream: Iterator[Batch],
    minutes: float,
    rate: float,
    report: Callable[[int, float, Losses], None],
) -> int:
    """Trains for a time with warm-up and cosine decay over that time; returns the steps made."""
    optimiser = torch.optim.AdamW(groups(learner, 0.05), lr=rate, betas=(0.9, 0.98))
    start = time.monotonic()
    for step, batch in enumerate(stream):
        done = (time.monotonic() - start) / 60 / minutes
        if done >= 1:
            return step
        for group in optimiser.param_groups:
            group["lr"] = rate * pace(step, done)
        losses = learner(batch, done > SILENT)
        optimiser.zero_grad()
        losses.total().backward()
        torch.nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
        optimiser.step()
        with torch.no_grad():
            learner.model.logit_scale.clamp_(max=math.log(100))
        report(step, done, losses)
    raise AssertionError("the stream of batches is endless")


def pace(step: int, done: float, warm: int = 100) -> float:
    """The share of the full learning rate: linear warm-up, then half a cosine down to 1 %."""
    return min(1.0, (step + 1) / warm) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
