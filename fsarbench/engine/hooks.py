"""What happens around the iterations of training, besides mmengine's own hooks."""

import math
from collections import deque
from statistics import fmean
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from fsarbench.data.chance import Chance
from fsarbench.engine import ranks
from fsarbench.errors import UserError
from fsarbench.progress import Bar


class SeedHook(Hook):
    """Seeds torch before each iteration, so that dropout depends on its place in the run alone.

    Args:
        seed: The run's seed.
    """

    priority = "VERY_HIGH"

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seeds with the seed, the iteration and the rank."""
        del data_batch
        torch.manual_seed(Chance("train", self.seed, batch_idx, ranks.rank()).integer(2**63))


class FiniteHook(Hook):
    """Stops when a loss is no number, before it is logged or a checkpoint is made of it."""

    priority = "VERY_HIGH"

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, float] | None = None,
    ) -> None:
        """Looks at the losses of the iteration.

        Raises:
            UserError: One is infinite or not a number.
        """
        del data_batch
        wrong = {k: v for k, v in (outputs or {}).items() if not math.isfinite(v)}
        if wrong:
            named = ", ".join(f"{name} = {value}" for name, value in wrong.items())
            raise UserError(
                f"Training went wrong in iteration {batch_idx + 1}: {named}. "
                "Lower train.lr or train.trunk_lr, set train.clip_grad (1.0), lengthen "
                "train.warmup, or set train.precision='fp32'."
            )


class ScheduleHook(Hook):
    """Moves the learning rates after each optimiser step.

    mmengine's own hook moves them in every iteration, so that a step of several accumulated
    episodes would have the rate of its last.
    """

    priority = "LOW"

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, float] | None = None,
    ) -> None:
        """Moves the rates, if the iteration ended a step."""
        del batch_idx, data_batch, outputs
        if runner.optim_wrapper.should_update():
            for schedule in runner.param_schedulers:
                schedule.step()


class ProgressHook(Hook):
    """Moves the progress bar, with the mean loss and accuracy of the last episodes.

    Args:
        bar: The bar; it counts episodes over all ranks.
        window: Iterations of the means.
    """

    priority = "LOW"

    def __init__(self, bar: Bar, window: int) -> None:
        self.bar = bar
        self.losses: deque[float] = deque(maxlen=window)
        self.accuracies: deque[float] = deque(maxlen=window)

    def before_train(self, runner: Runner) -> None:
        """A resumed run starts in the middle of the bar."""
        self.bar.skip(runner.iter * ranks.count())

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, float] | None = None,
    ) -> None:
        """One episode of each rank is done."""
        del data_batch, batch_idx
        assert outputs is not None
        self.losses.append(outputs["loss"])
        self.accuracies.append(outputs["accuracy"])
        note = f"loss {fmean(self.losses):.3f}  accuracy {fmean(self.accuracies):.1%}"
        self.bar.advance(ranks.count(), note)
