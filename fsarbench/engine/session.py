"""One training run: the Runner, its hooks, and their files."""

from pathlib import Path

from mmengine.hooks import Hook

from fsarbench.data.episodes import EpisodeSampler
from fsarbench.engine import ranks
from fsarbench.engine.bench import Bench
from fsarbench.engine.half import runs_half
from fsarbench.engine.hooks import FiniteHook, ProgressHook, ScheduleHook, SeedHook
from fsarbench.engine.lean import lean
from fsarbench.engine.resume import ResumeHook
from fsarbench.engine.runner import build_runner, close_runner
from fsarbench.engine.selection import History, SelectionHook
from fsarbench.engine.settings import EvaluateSettings, TrainSettings
from fsarbench.engine.state import STATES, conditions
from fsarbench.engine.trained_model import TrainedModel
from fsarbench.engine.waiting import WaitHook
from fsarbench.engine.weights import BEST
from fsarbench.model import FewShotModel
from fsarbench.progress import Bars


def run_session(
    model: FewShotModel,
    bench: Bench,
    settings: TrainSettings,
    evaluate_settings: EvaluateSettings,
    work_dir: Path,
    resume: bool,
    bars: Bars,
) -> History:
    """Trains, and returns the validations; the best tuned parts lie in `work_dir`."""
    select = settings.select
    # A split that cannot fill an episode is found out before hours of training.
    EpisodeSampler(bench.splits[select], bench.episodes, evaluate_settings.seed)
    ranks.start(bench.device)
    world = ranks.count()
    interval = val_interval(settings, world)
    history = History()
    trained = TrainedModel(model, bench, runs_half(settings, bench.device), settings.together)
    fixed = conditions(settings, bench.seed, world)
    hooks: list[Hook] = [
        SeedHook(bench.seed),
        FiniteHook(),
        ScheduleHook(),
        SelectionHook(
            model, bench, select, evaluate_settings, interval, work_dir / BEST, history, bars
        ),
        ResumeHook(model, work_dir / STATES, fixed, history, interval, resume),
        WaitHook(history),
    ]
    step = max(1, settings.log_interval) * world
    task = bars.task("train", settings.episodes, step)
    with lean(model.backbone, settings), task as bar:
        hooks.append(ProgressHook(bar, settings.log_interval))
        runner = build_runner(trained, bench, settings, work_dir, hooks)
        try:
            runner.train()
        finally:
            close_runner(runner)
    return history


def val_interval(settings: TrainSettings, world: int) -> int:
    """Iterations between validations: whole optimiser steps, so that a state holds no half one."""
    steps = -(-settings.val_interval // (world * settings.accumulate))
    return steps * settings.accumulate
