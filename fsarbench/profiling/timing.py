"""Timing of encoding, matching, test episodes and training steps on a device."""

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
from fsarbench.evaluation.precision import autocast
from fsarbench.model import FewShotModel
from fsarbench.profiling.dummy_inputs import (
    ProfiledModel,
    episode_loss,
    infer_episode,
    random_copy,
    random_episode,
)
from fsarbench.runtime.environment import describe_device, versions
from fsarbench.training.acceleration import accelerated
from fsarbench.training.optimizer import parameter_groups


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds of repeated runs.

    Attributes:
        median: Median of all repeats.
        low: First quartile; with fewer than four repeats the minimum.
        high: Third quartile; with fewer than four repeats the maximum.
        repeats: Number of timed runs.
        warmup: Number of runs before them that were not timed.
    """

    median: float
    low: float
    high: float
    repeats: int
    warmup: int


def time_runs(
    run: Callable[[], object],
    device: torch.device,
    repeats: int = 10,
    warmup: int = 2,
    after: Callable[[], object] = lambda: None,
) -> Timing:
    """Time repeated calls of a function; the device is synchronized before and after each call.

    Args:
        run: Function to time.
        device: Device of its computation.
        repeats: Number of timed calls.
        warmup: Number of calls before them that are not timed.
        after: Function that is called after each call, outside the timed interval.

    Example:
        >>> time_runs(lambda: sum(range(100)), torch.device("cpu"), repeats=3).repeats
        3
    """
    for _ in range(warmup):
        run()
        after()
    seconds = []
    for _ in range(repeats):
        synchronize(device)
        start = time.perf_counter()
        run()
        synchronize(device)
        seconds.append(time.perf_counter() - start)
        after()
    low, high = min(seconds), max(seconds)
    if repeats >= 4:
        low, _, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return Timing(
        median=statistics.median(seconds), low=low, high=high, repeats=repeats, warmup=warmup
    )


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has finished its queued work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def conditions(device: torch.device) -> dict[str, Any]:
    """Conditions of all timings: device with its current clock, and versions of libraries."""
    return {"device": {**describe_device(device), **gpu_properties(device)}, "versions": versions()}


def gpu_properties(device: torch.device) -> dict[str, Any]:
    """Memory, CUDA version and current clock of a GPU; without the clock if it is unavailable."""
    if device.type != "cuda":
        return {}
    total = torch.cuda.get_device_properties(device).total_memory
    properties = {"memory_bytes": total, "cuda": torch.version.cuda}
    try:
        return {**properties, "sm_clock_mhz": torch.cuda.clock_rate(device)}
    except Exception:
        # Reading the clock needs an optional package, which raises errors of many types.
        return properties


@dataclass(frozen=True, kw_only=True)
class Allocated:
    """Peak memory of the GPU allocator since its last reset, in bytes.

    Attributes:
        tensors: Memory of tensors, rounded up to the block size of the allocator.
        reserved: Memory held by the allocator, including unused blocks. Other programs see this
            value plus the memory of the driver.
    """

    tensors: int
    reserved: int


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Measurement on one device.

    Attributes:
        timing: Seconds per run.
        units: Number of videos or episodes per run.
        memory: Peak memory of the allocator; None on a CPU.
    """

    timing: Timing
    units: int
    memory: Allocated | None

    @property
    def rate(self) -> float:
        """Units per second."""
        return self.units / self.timing.median


@dataclass(frozen=True)
class TimingSetup:
    """Setup of all measurements of one config.

    Attributes:
        profiled: Model to be measured.
        device: Device of the measurements.
        bf16: Encode the videos in bf16.
        repeats: Number of timed runs of each measurement.
        warmup: Number of runs before them that are not timed.
        after: Function that is called after each run, such as that of a progress bar.
    """

    profiled: ProfiledModel
    device: torch.device
    bf16: bool
    repeats: int
    warmup: int
    after: Callable[[], object] = lambda: None

    def measure(self, run: Callable[[], object], units: int = 1) -> Measured:
        """Measure the time of a function and, on a GPU, its peak memory."""
        on_gpu = self.device.type == "cuda"
        if on_gpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)
        timing = time_runs(run, self.device, self.repeats, self.warmup, self.after)
        return Measured(
            timing=timing, units=units, memory=allocator_peak(self.device) if on_gpu else None
        )


def measure(setup: TimingSetup) -> dict[str, Measured]:
    """Measure encoding, matching, a test episode and a training step.

    Raises:
        UserError: The memory of the device is too small.
    """
    profiled, device = setup.profiled, setup.device
    try:
        model = random_copy(profiled.model, device)
        settings = profiled.settings.train
        with accelerated(model.backbone, settings):
            return {
                **measure_testing(
                    setup, model.eval(), random_episode(profiled.episode("test"), device)
                ),
                **measure_training(setup, model.train()),
            }
    except torch.cuda.OutOfMemoryError as error:
        raise UserError(
            f"profile: the memory of {device} is too small ({str(error).splitlines()[0]}). Reduce "
            "the episodes (--set episodes.train_queries=1), set train.checkpointing=True, or use "
            "--no-time."
        ) from None


def measure_testing(
    setup: TimingSetup, model: FewShotModel, episode: Episode
) -> dict[str, Measured]:
    """Measure encoding of query videos, matching, and a whole test episode, without gradients."""

    @torch.no_grad()
    def encode() -> object:
        with autocast(setup.device, setup.bf16):
            return model.encode_query(episode.query)

    with torch.no_grad():
        support, query = model.encode(episode, model.encode_text(episode))
    match = torch.no_grad()(lambda: model.scores(model.match(support, query, episode.text)))
    # Given features are not encoded.
    takes_features = model.backbone.takes_features
    return {
        **({} if takes_features else {"encode": setup.measure(encode, units=len(episode.query))}),
        "match": setup.measure(match),
        "test_episode": setup.measure(lambda: infer_episode(model, episode, setup.bf16)),
    }


def measure_training(setup: TimingSetup, model: FewShotModel) -> dict[str, Measured]:
    """Measure a training step including the optimiser; empty if nothing is trained."""
    if not setup.profiled.trains:
        return {}
    settings = setup.profiled.settings.train
    episode = random_episode(setup.profiled.episode("train"), setup.device)
    fused = True if setup.device.type == "cuda" else None
    optimiser = AdamW(list(parameter_groups(model, settings)), lr=settings.lr, fused=fused)
    loss = partial(episode_loss, model, episode, setup.bf16, settings.together)

    def step() -> None:
        loss().backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return {"train_step": setup.measure(step)}


def allocator_peak(device: torch.device) -> Allocated:
    """Peak memory of the allocator of a GPU."""
    return Allocated(
        tensors=torch.cuda.max_memory_allocated(device),
        reserved=torch.cuda.max_memory_reserved(device),
    )
