"""The training loop: one iteration is one episode of a rank."""

from collections.abc import Callable
from typing import Any

from mmengine.runner import BaseLoop, Runner
from torch.utils.data import DataLoader

LoaderFrom = Callable[[int], DataLoader[Any]]


class EpisodeLoop(BaseLoop):
    """Runs the episodes from the iteration where the run starts or goes on.

    mmengine's own loop replays the data loader, decoding all of it, to find that place again.

    Args:
        runner: The runner.
        dataloader: Gives the loader that starts at an iteration.
        max_iters: Iterations in all.
    """

    max_epochs = 1
    epoch = 0

    def __init__(self, runner: Runner, dataloader: LoaderFrom, max_iters: int) -> None:
        super().__init__(runner, dataloader)
        self.loader_from = dataloader
        self.max_iters = max_iters
        self.iter = 0

    def run(self) -> Any:
        """Trains to the last iteration, and returns the model."""
        self.dataloader = self.loader_from(self.iter)
        runner = self.runner
        runner.call_hook("before_train")
        runner.call_hook("before_train_epoch")
        runner.model.train()
        for batch in self.dataloader:
            runner.call_hook("before_train_iter", batch_idx=self.iter, data_batch=batch)
            logged = runner.model.train_step(batch, optim_wrapper=runner.optim_wrapper)
            outputs = {name: float(value.detach()) for name, value in logged.items()}
            runner.call_hook(
                "after_train_iter", batch_idx=self.iter, data_batch=batch, outputs=outputs
            )
            self.iter += 1
        runner.call_hook("after_train_epoch")
        runner.call_hook("after_train")
        return runner.model
