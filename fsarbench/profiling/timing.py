"""Seconds of repeated work on a device, and what the device was like."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.optim import AdamW

from fsarbench.episode import Episode
from fsarbench.errors import UserError
from fsarbench.model import FewShotModel
from fsarbench.profiling.dummy_inputs import (
    ProfiledModel,
    infer_episode,
    loss_of,
    random_episode,
    random_on,
)
from fsarbench.runtime.environment import describe_device, versions
from fsarbench.training.acceleration import accelerated
from fsarbench.training.optimizer import parameter_groups
from fsarbench.training.precision import autocast


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds of one piece of work.

    Attributes:
        median: Of all repeats.
        low: The first quartile; with fewer than four repeats the least.
        high: The third quartile; with fewer than four repeats the largest.
        repeats: How often it was timed.
        warmup: How often it ran before that.
    """

    median: float
    low: float
    high: float
    repeats: int
    warmup: int


def time_runs(
    run: Callable[[], object], device: torch.device, repeats: int = 10, warmup: int = 2
) -> Timing:
    """Times some work, each repeat from an idle device to an idle device.

    Example:
        >>> time_runs(lambda: sum(range(100)), torch.device("cpu"), repeats=3).repeats
        3
    """
    for _ in range(warmup):
        run()
    seconds = []
    for _ in range(repeats):
        finish(device)
        start = time.perf_counter()
        run()
        finish(device)
        seconds.append(time.perf_counter() - start)
    low, high = min(seconds), max(seconds)
    if repeats >= 4:
        low, _, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return Timing(
        median=statistics.median(seconds), low=low, high=high, repeats=repeats, warmup=warmup
    )


def finish(device: torch.device) -> None:
    """Waits for a GPU, which runs behind the program."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def conditions(device: torch.device) -> dict[str, Any]:
    """What every timing depends on: device, clocks as found, versions."""
    return {"device": {**describe_device(device), **clocks(device)}, "versions": versions()}


def clocks(device: torch.device) -> dict[str, Any]:
    """The clocks of a GPU in MHz, where its driver tells, its memory, and its CUDA version."""
    if device.type != "cuda":
        return {}
    properties = torch.cuda.get_device_properties(device)
    found = {"memory_bytes": properties.total_memory, "cuda": torch.version.cuda}
    try:
        return {**found, "sm_clock_mhz": torch.cuda.clock_rate(device)}
    except Exception:
        # It takes the driver's own Python package, which is no dependency and has its own errors.
        return found


@dataclass(frozen=True, kw_only=True)
class Allocated:
    """The peak of a GPU's allocator since a reset, in bytes.

    Attributes:
        tensors: What its tensors took, rounded up to the allocator's blocks.
        reserved: What the allocator held, its own overhead included; what other programs see is
            this and the driver's own.
    """

    tensors: int
    reserved: int


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One piece of work on one device.

    Attributes:
        timing: Its seconds.
        units: How many videos or episodes one repeat handled.
        memory: The allocator's peak, on a GPU.
    """

    timing: Timing
    units: int
    memory: Allocated | None

    @property
    def rate(self) -> float:
        """Units a second."""
        return self.units / self.timing.median


@dataclass(frozen=True)
class Stand:
    """What the measurements of one config share.

    Attributes:
        subject: What is measured.
        device: Where.
        half: Encode in bf16.
        repeats: How often each piece of work is timed.
        warmup: How often it runs before.
    """

    subject: ProfiledModel
    device: torch.device
    half: bool
    repeats: int
    warmup: int

    def measure(self, run: Callable[[], object], units: int = 1) -> Measured:
        """Times some work, and asks a GPU for its peak."""
        on_gpu = self.device.type == "cuda"
        if on_gpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)
        timing = time_runs(run, self.device, self.repeats, self.warmup)
        return Measured(
            timing=timing, units=units, memory=allocated(self.device) if on_gpu else None
        )


def measure(stand: Stand) -> dict[str, Measured]:
    """Encoding query videos, matching and testing an episode, and a training step, by name.

    Raises:
        UserError: The device has not enough memory.
    """
    subject, device = stand.subject, stand.device
    try:
        model = random_on(subject.model, device)
        settings = subject.settings.train
        with accelerated(model.backbone, settings):
            return {
                **measure_testing(
                    stand, model.eval(), random_episode(subject.episode("test"), device)
                ),
                **measure_training(stand, model.train()),
            }
    except torch.cuda.OutOfMemoryError as error:
        raise UserError(
            f"profile: {device} has not enough memory ({str(error).splitlines()[0]}). Take a "
            "smaller task (--set episodes.train_queries=1), train.checkpointing=True, or --no-time."
        ) from None


def measure_testing(stand: Stand, model: FewShotModel, episode: Episode) -> dict[str, Measured]:
    """Without gradients."""

    @torch.no_grad()
    def encode() -> object:
        with autocast(stand.device, stand.half):
            return model.encode_query(episode.query)

    with torch.no_grad():
        support, query = model.encode(episode, model.encode_text(episode))
    match = torch.no_grad()(lambda: model.scores(model.match(support, query, episode.text)))
    # Features that were given are not encoded.
    given = model.backbone.takes_features
    return {
        **({} if given else {"encode": stand.measure(encode, units=len(episode.query))}),
        "match": stand.measure(match),
        "test_episode": stand.measure(lambda: infer_episode(model, episode, stand.half)),
    }


def measure_training(stand: Stand, model: FewShotModel) -> dict[str, Measured]:
    """A training step, the optimiser's part included; nothing where nothing is trained."""
    if not stand.subject.trains:
        return {}
    settings = stand.subject.settings.train
    episode = random_episode(stand.subject.episode("train"), stand.device)
    fused = True if stand.device.type == "cuda" else None
    optimiser = AdamW(list(parameter_groups(model, settings)), lr=settings.lr, fused=fused)
    loss = partial(loss_of, model, episode, stand.half, settings.together)

    def step() -> None:
        loss().backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return {"train_step": stand.measure(step)}


def allocated(device: torch.device) -> Allocated:
    """The peaks of a GPU's allocator."""
    return Allocated(
        tensors=torch.cuda.max_memory_allocated(device),
        reserved=torch.cuda.max_memory_reserved(device),
    )
