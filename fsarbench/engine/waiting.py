"""How long training waits for its data."""

import time
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from fsarbench.engine.selection import History


class WaitHook(Hook):
    """Adds up the time from the end of each iteration, and of all that follows it, to the next.

    That is the time in which the loader has no episode ready, the start of its workers included.

    Args:
        history: Where the seconds are noted, of this process alone.
    """

    # Behind validation and the writing of states, which follow an iteration too.
    priority = "LOWEST"

    def __init__(self, history: History) -> None:
        self.history = history
        self.end = 0.0

    def before_train_epoch(self, runner: Runner) -> None:
        """The loader starts."""
        del runner
        self.end = time.perf_counter()

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """An episode has come."""
        del runner, batch_idx, data_batch
        self.history.waited += time.perf_counter() - self.end

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, float] | None = None,
    ) -> None:
        """The next is asked for."""
        del runner, batch_idx, data_batch, outputs
        self.end = time.perf_counter()
