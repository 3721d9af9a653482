"""mmengine's Runner, set up for episodes."""

import itertools
import logging
from pathlib import Path
from typing import Any

import torch.multiprocessing
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.model import MMDistributedDataParallel
from mmengine.runner import Runner
from mmengine.visualization import TensorboardVisBackend
from torch import nn

from fsarbench.data.episodes import EpisodeSampler
from fsarbench.data.loader import EpisodeDataset, EpisodeOrder, Loader, episode_loader
from fsarbench.engine import ranks
from fsarbench.engine.bench import Bench
from fsarbench.engine.loop import EpisodeLoop, LoaderFrom
from fsarbench.engine.optimiser import build_optimiser, build_schedule, iterations
from fsarbench.engine.settings import TrainSettings, processes
from fsarbench.engine.trained_model import TrainedModel

# mmengine keeps loggers by name for the life of the process, and warns of a name that comes twice.
RUNS = itertools.count()


class EpisodeRunner(Runner):
    """A Runner that leaves the model on its device and the terminal to the progress bar."""

    def wrap_model(self, model_wrapper_cfg: object, model: nn.Module) -> nn.Module:
        """Wraps for several ranks; else the model is left alone, on whatever device it is."""
        del model_wrapper_cfg
        if not ranks.several():
            return model
        place = model.device
        return MMDistributedDataParallel(
            model,
            device_ids=[place.index] if place.type == "cuda" else None,
            broadcast_buffers=False,
        )

    def build_logger(self, log_level: str = "INFO") -> MMLogger:
        """A logger that writes everything to its file, and warnings to the terminal."""
        logger = super().build_logger(log_level)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.setLevel(logging.WARNING)
        return logger

    def dump_config(self) -> None:
        """Nothing: the resolved config is written with the result."""


def build_runner(
    trained: TrainedModel,
    bench: Bench,
    settings: TrainSettings,
    work_dir: Path,
    hooks: list[Hook],
) -> Runner:
    """A Runner that trains the tuned parameters of a model.

    Args:
        trained: The model, with its losses.
        bench: Whose training split is used.
        settings: How training is run.
        work_dir: Where logs go.
        hooks: What happens besides.
    """
    world = ranks.count()
    total = iterations(settings.episodes, world)
    optimiser = build_optimiser(trained.model, settings)
    runner = EpisodeRunner(
        trained,
        str(work_dir),
        train_dataloader=loader_from(bench, settings, total),
        train_cfg={"type": EpisodeLoop, "max_iters": total},
        optim_wrapper=optimiser,
        param_scheduler=build_schedule(optimiser, settings, world),
        default_hooks=default_hooks(settings),
        custom_hooks=hooks,
        launcher="pytorch" if ranks.several() else "none",
        # The start method stays as it is; mmengine would set it for the whole process.
        env_cfg={"mp_cfg": {"mp_start_method": torch.multiprocessing.get_start_method()}},
        log_processor={"by_epoch": False, "window_size": settings.log_interval},
        visualizer=tensorboard(work_dir),
        randomness={"seed": bench.seed},
        experiment_name=f"{work_dir.name}_{next(RUNS)}",
    )
    # The optimiser was built before the run's own hub, and would note the gradient norm elsewhere.
    optimiser.message_hub = runner.message_hub
    return runner


def default_hooks(settings: TrainSettings) -> dict[str, Any]:
    """Mmengine's own hooks: its log; schedule, selection and state are ours."""
    return {
        "checkpoint": None,
        "sampler_seed": None,
        "param_scheduler": None,
        "logger": {"type": "LoggerHook", "interval": settings.log_interval},
    }


def tensorboard(work_dir: Path) -> dict[str, Any]:
    """Scalars for TensorBoard below the work folder."""
    return {
        "type": "Visualizer",
        "vis_backends": [{"type": TensorboardVisBackend}],
        "save_dir": str(work_dir / "tensorboard"),
    }


def loader_from(bench: Bench, settings: TrainSettings, total: int) -> LoaderFrom:
    """Gives the loader of this rank's training episodes from an iteration on."""
    rank, world = ranks.rank(), ranks.count()
    split = bench.splits["train"]
    sampler = EpisodeSampler(split, bench.episodes, bench.seed)
    data = EpisodeDataset(split, sampler, bench.reader, bench.clips, augment=True)

    def start(iteration: int) -> Loader:
        order = EpisodeOrder(iteration * world, total * world, rank, world)
        return episode_loader(data, order, processes(settings.workers))

    return start


def close_runner(runner: Runner) -> None:
    """Closes the files that a Runner leaves open."""
    runner.visualizer.close()
    for handler in runner.logger.handlers:
        handler.close()
