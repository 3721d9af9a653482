"""Writes the state of a training after each validation, and goes on from it."""

import time
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from fsarbench.engine import ranks
from fsarbench.engine.selection import History
from fsarbench.engine.state import check_conditions, clear_states, latest_state, save_state
from fsarbench.engine.weights import restore, tuned_state
from fsarbench.model import FewShotModel


class ResumeHook(Hook):
    """Keeps tuned parts, optimiser, schedule and history on disk.

    No random state is kept: all randomness derives from the seed and the iteration.

    Args:
        model: What is trained.
        folder: Where states are kept.
        conditions: Settings that a continuation must share.
        history: The validations so far.
        interval: Iterations between two states.
        resume: Whether to go on from the latest state.
    """

    priority = "LOWEST"

    def __init__(
        self,
        model: FewShotModel,
        folder: Path,
        conditions: dict[str, Any],
        history: History,
        interval: int,
        resume: bool,
    ) -> None:
        self.model = model
        self.folder = folder
        self.conditions = conditions
        self.history = history
        self.interval = interval
        self.resume = resume
        self.begin = time.perf_counter()
        self.earlier = 0.0

    def before_run(self, runner: Runner) -> None:
        """Goes on from the latest state, if that is wanted and there is one."""
        state = latest_state(self.folder) if self.resume else None
        if state is None:
            clear_states(self.folder)
            return
        check_conditions(state["conditions"], self.conditions, self.folder)
        restore(self.model, state["model"], str(self.folder))
        runner.optim_wrapper.load_state_dict(state["optimiser"])
        for schedule, saved in zip(runner.param_schedulers, state["schedules"], strict=True):
            schedule.load_state_dict(saved)
        runner.train_loop.iter = state["iteration"]
        for key, value in state["history"].items():
            setattr(self.history, key, value)
        self.earlier = self.history.elapsed

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Writes the state after each validation, when the schedule has moved on as well."""
        del data_batch, outputs
        done = batch_idx + 1
        if done % self.interval and done != runner.max_iters:
            return
        self.history.elapsed = self.earlier + time.perf_counter() - self.begin
        if not ranks.is_main():
            return
        state = {
            "iteration": done,
            "conditions": self.conditions,
            "model": tuned_state(self.model),
            "optimiser": runner.optim_wrapper.state_dict(),
            "schedules": [schedule.state_dict() for schedule in runner.param_schedulers],
            "history": vars(self.history),
        }
        save_state(self.folder, done, state)
