"""Training loop: episodes, gradient accumulation, AdamW, validation and checkpoint selection."""

import inspect
import math
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from fsarbench.data.data_module import DataModule
from fsarbench.data.episode_sampler import EpisodeSampler
from fsarbench.data.loader import EpisodeDataset, EpisodeOrder, episode_loader, to_episode
from fsarbench.errors import UserError
from fsarbench.evaluation.feature_cache import text_bank, trains_text_encoder
from fsarbench.evaluation.precision import forward_episode, uses_bf16
from fsarbench.model import FewShotModel, trainable_parameters
from fsarbench.runtime import distributed
from fsarbench.runtime.finite_checks import not_finite
from fsarbench.runtime.progress import ProgressBar, ProgressBars
from fsarbench.runtime.random_stream import RandomStream
from fsarbench.settings import EvaluateSettings, TrainSettings, processes
from fsarbench.training import optimizer as optim
from fsarbench.training.acceleration import accelerated
from fsarbench.training.checkpoint import BEST, load_weights
from fsarbench.training.history import History, Training
from fsarbench.training.resume import STATES, ResumeStates, training_inputs
from fsarbench.training.trackers import Trackers, open_trackers
from fsarbench.training.validation import Validator

Batch = Mapping[str, Tensor]


def train(
    model: FewShotModel,
    data_module: DataModule,
    settings: TrainSettings,
    evaluate_settings: EvaluateSettings,
    work_dir: Path,
    resume: bool = False,
    bars: ProgressBars | None = None,
    trackers: Trackers | None = None,
) -> Training:
    """Train a model, and load the checkpoint with the best validation accuracy.

    Args:
        model: Model on the device of the data module.
        data_module: Videos, clips and episodes; the splits `train` and `settings.select` are used.
        settings: Settings of the training.
        evaluate_settings: Settings of the validation.
        work_dir: Folder for `best.safetensors`, resume states and logs.
        resume: Continue from the last state in `work_dir` if there is one.
        bars: Progress bars; None shows none.
        trackers: Trackers for metrics; None opens those of `settings.trackers`.

    Raises:
        UserError: A split has too few videos for an episode, a video cannot be read, a loss is not
            finite, or the state in `work_dir` has other settings.
    """
    if skipped := why_skipped(model, settings):
        return Training(skipped)
    work_dir.mkdir(parents=True, exist_ok=True)
    distributed.start(data_module.device)
    bars = bars or ProgressBars(quiet=True)
    best = work_dir / BEST
    validator = Validator(model, data_module, settings.select, evaluate_settings, best, bars)
    opened = nullcontext(trackers) if trackers else default_trackers(settings, work_dir)
    with accelerated(model.backbone, settings), opened as log:
        history = run_steps(model, data_module, settings, validator, work_dir, resume, log)
    distributed.wait()  # The main process writes the best checkpoint, and all processes read it.
    load_weights(model, best)
    return history.training(settings.select)


def run_steps(
    model: FewShotModel,
    data_module: DataModule,
    settings: TrainSettings,
    validator: Validator,
    work_dir: Path,
    resume: bool,
    trackers: Trackers,
) -> History:
    """Run the training loop, and return its history. The arguments are those of `train`."""
    world, accumulate = distributed.count(), settings.accumulate
    iterations = -(-settings.episodes // world)  # number of training episodes per process
    steps = -(-iterations // accumulate)
    interval = -(-settings.val_interval // (world * accumulate))
    optimizer, history = optim.build_optimizer(model, settings), History()
    inputs = training_inputs(settings, data_module.seed, world)
    states = ResumeStates(work_dir / STATES, model, optimizer, history, inputs)
    first = states.load() if resume else states.clear()
    start = time.perf_counter() - history.seconds
    losses = wrap_distributed(EpisodeLosses(model, data_module, settings)).train()
    iterations_left = range(first * accumulate, iterations)
    batches = training_batches(data_module, settings, iterations_left, history, model.extra)
    task = validator.bars.task("train", settings.episodes, settings.log_interval * world)
    with closing(batches), task as bar:
        bar.skip(first * accumulate * world)
        report = Report(bar, trackers, settings.log_interval, history)
        for step in range(first, steps):
            optim.set_learning_rate(optimizer, optim.lr_factor(step, settings, world))
            span = range(step * accumulate, min((step + 1) * accumulate, iterations))
            metrics = train_step(
                losses, optimizer, batches, span, data_module.seed, settings.clip_grad
            )
            report(span, metrics, optim.learning_rates(optimizer))
            if (step + 1) % interval == 0 or step + 1 == steps:
                accuracy = validator(span.stop * world, history)
                trackers.add({"val/accuracy": accuracy}, span.stop * world)
                history.seconds = time.perf_counter() - start
                states.save(step + 1)
    return history


def train_step(
    losses: nn.Module,
    optimizer: Optimizer,
    batches: Iterator[Batch],
    span: range,
    seed: int,
    clip_grad: float | None = None,
) -> list[dict[str, float]]:
    """Run one optimizer step over some episodes, and return the metrics of each episode.

    The gradient is the mean over these episodes and over all processes.

    Args:
        losses: `EpisodeLosses`, wrapped for several processes if necessary.
        optimizer: Optimizer of the trainable parameters.
        batches: Iterator over training episodes.
        span: Iterations of the training that belong to this step; one episode is taken for each.
        seed: Seed of the run.
        clip_grad: Maximum norm of the gradient; None disables clipping.

    Raises:
        UserError: A loss is not finite.
    """
    logged = []
    for iteration in span:
        batch = next(batches)
        # Dropout depends on seed, iteration and process only, so a resumed run gives equal results.
        torch.manual_seed(RandomStream("train", seed, iteration, distributed.rank()).integer(2**63))
        with gradient_exchange(losses, on=iteration == span[-1]):
            metrics: dict[str, Tensor] = losses(batch)
            (metrics["loss"] / len(span)).backward()
        logged.append({name: value.detach() for name, value in metrics.items()})
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    with_gradient = [parameter for parameter in parameters if parameter.grad is not None]
    norm = clip_grad_norm_(with_gradient, clip_grad or math.inf)  # an infinite limit has no effect
    optimizer.step()
    optimizer.zero_grad()
    values = [{name: float(value) for name, value in metrics.items()} for metrics in logged]
    require_finite(values, span)
    return [{**metrics, "grad_norm": float(norm)} for metrics in values]


class EpisodeLosses(nn.Module):
    """Losses and accuracy of one training episode, as a module for DistributedDataParallel.

    Args:
        model: Model on the device of the data module.
        data_module: Data with the training split.
        settings: Settings of the training; `precision` and `together` are used.
    """

    def __init__(
        self, model: FewShotModel, data_module: DataModule, settings: TrainSettings
    ) -> None:
        super().__init__()
        self.model = model
        self.split = data_module.splits["train"]
        self.device = data_module.device
        self.bf16 = uses_bf16(settings, data_module.device)
        self.together = settings.together
        # If the text encoder is trained, its features change in each step and are not stored.
        self.text = None if trains_text_encoder(model) else text_bank(model, self.split)

    def forward(self, batch: Batch) -> dict[str, Float[Tensor, ""]]:
        """Sum of the losses (`loss`), each loss (`loss_*`), and accuracy (`accuracy`)."""
        episode = to_episode(batch, self.split, self.text, self.device)
        outcome = forward_episode(self.model, episode, self.bf16, self.together)
        losses = self.model.loss(outcome, episode)
        with torch.no_grad():
            correct = self.model.scores(outcome).argmax(dim=1) == episode.labels
        total = sum(losses.values(), start=torch.zeros((), device=self.device))
        by_name = {f"loss_{name}": value for name, value in losses.items()}
        return {"loss": total, **by_name, "accuracy": correct.float().mean()}


class Report:
    """Progress bar and log entries with means over the last episodes of this process.

    Args:
        bar: Progress bar over the episodes of all processes.
        trackers: Trackers for the log entries.
        interval: Number of episodes of this process per log entry and per mean.
        history: History with the seconds spent waiting for data.
    """

    def __init__(
        self, bar: ProgressBar, trackers: Trackers, interval: int, history: History
    ) -> None:
        self.bar = bar
        self.trackers = trackers
        self.interval = interval
        self.history = history
        self.recent: deque[dict[str, float]] = deque(maxlen=interval)
        self.logged = (time.perf_counter(), history.wait_seconds, 0)

    def __call__(
        self, span: range, metrics: list[dict[str, float]], rates: Mapping[str, float]
    ) -> None:
        """Report an optimizer step over the iterations of `span`."""
        self.recent.extend(metrics)
        means = {name: fmean(m[name] for m in self.recent) for name in metrics[-1]}
        note = f"loss {means['loss']:.3f}  accuracy {means['accuracy']:.1%}"
        self.bar.advance(len(span) * distributed.count(), note)
        start, waited, last = self.logged
        if span.stop // self.interval == span.start // self.interval:
            return
        now = (time.perf_counter(), self.history.wait_seconds, span.stop)
        episodes = span.stop - last or 1
        seconds = {"time": (now[0] - start) / episodes, "data_time": (now[1] - waited) / episodes}
        self.trackers.add({**rates, **means, **seconds}, span.stop * distributed.count())
        self.logged = now


def training_batches(
    data_module: DataModule,
    settings: TrainSettings,
    iterations: range,
    history: History,
    extra: Sequence[str] = (),
) -> Generator[Batch, None, None]:
    """Start loading the training episodes of this process, and return an iterator over them.

    The seconds spent waiting for episodes are added to `history`.
    """
    rank, world = distributed.rank(), distributed.count()
    split = data_module.splits["train"]
    sampler = EpisodeSampler(split, data_module.episodes, data_module.seed)
    data = EpisodeDataset(split, sampler, data_module.reader, data_module.clips, True, extra)
    order = EpisodeOrder(iterations.start * world, iterations.stop * world, rank, world)
    batches = iter(episode_loader(data, order, processes(settings.workers)))
    return timed_batches(batches, len(iterations), history)


def timed_batches(
    batches: Iterator[Batch], count: int, history: History
) -> Generator[Batch, None, None]:
    """Yield `count` training episodes, and add the seconds of waiting for them to `history`."""
    for _ in range(count):
        start = time.perf_counter()
        batch = next(batches)
        history.wait_seconds += time.perf_counter() - start
        yield batch


def wrap_distributed(losses: nn.Module) -> nn.Module:
    """Module that averages gradients over all processes; unchanged for a single process."""
    if not distributed.several():
        return losses
    device = next(losses.parameters()).device
    # Buffers, such as running means, are not synchronized. The option has a new name in new torch.
    parameters = inspect.signature(DistributedDataParallel.__init__).parameters
    new_name, old_name = "forward_sync_buffers", "broadcast_buffers"
    options: dict[str, Any] = {new_name if new_name in parameters else old_name: False}
    if device.type == "cuda":
        options["device_ids"] = [device.index]
    return DistributedDataParallel(losses, **options)


def gradient_exchange(losses: nn.Module, on: bool) -> AbstractContextManager[object]:
    """Context that averages gradients over the processes, or accumulates them locally if off."""
    if isinstance(losses, DistributedDataParallel) and not on:
        return losses.no_sync()
    return nullcontext()


def require_finite(metrics: Iterable[Mapping[str, float]], span: range) -> None:
    """Check that all losses are finite, before they are logged or a checkpoint is written.

    Raises:
        UserError: A loss is infinite or not a number.
    """
    for iteration, episode in zip(span, metrics, strict=True):
        faults = [f"{name} = {value}" for name, value in not_finite(episode).items()]
        if faults:
            raise UserError(
                f"Training failed in iteration {iteration + 1}: {', '.join(faults)}. "
                "Lower train.lr or train.trunk_lr, set train.clip_grad (1.0), lengthen "
                "train.warmup, or set train.precision='fp32'."
            )


def default_trackers(settings: TrainSettings, work_dir: Path) -> AbstractContextManager[Trackers]:
    """Trackers of a training outside of a run."""
    return open_trackers(settings.trackers, work_dir, work_dir.name, {"train": asdict(settings)})


def why_skipped(model: FewShotModel, settings: TrainSettings) -> str:
    """Reason why nothing is trained; empty if the model is trained."""
    if settings.episodes == 0:
        return "train.episodes is 0"
    if not trainable_parameters(model):
        return "the model has no trainable parameters"
    return ""
