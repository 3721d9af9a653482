"""One training step with every adapter, and with each speed and memory setting of `train`.

Forward, backward and AdamW as in `fsarbench run`, with MA-FSAR's prototypes and OTAM. Frames and
text features are prepared in advance. Run without the shape checks, which take time::

    pytest -o addopts= benchmarks/bench_train_step.py

Also measured are trainable parameters and peak memory: on a GPU the allocator's, on a CPU that of
all tensors allocated in the step.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.measure import Run, peak
from benchmarks.parts import episode, model, registered
from benchmarks.sizes import Sizes
from fsarbench.model import FewShotModel, count_parameters
from fsarbench.profiling.dummy_inputs import episode_loss
from fsarbench.profiling.timing import synchronize
from fsarbench.settings import TrainSettings
from fsarbench.training.acceleration import accelerated
from fsarbench.training.optimizer import build_optimizer

MAFSAR = "FineGrainedMultimodal"
SETTINGS: dict[str, dict[str, Any]] = {
    "fp32": {"precision": "fp32"},
    "TF32": {"precision": "fp32", "tf32": True},
    "bf16": {"precision": "bf16"},
    "bf16, one call": {"precision": "bf16", "together": True},
    "bf16, recomputed by block": {"precision": "bf16", "checkpointing": True},
    "bf16, recomputed by 3 blocks": {"precision": "bf16", "checkpointing": 3},
    "bf16, compiled": {"precision": "bf16", "compile": True},
    "bf16, compiled, recomputed by block": {
        "precision": "bf16",
        "compile": True,
        "checkpointing": True,
    },
}
ROUNDS = 10
ADAPTERS = registered("adapter")
# Settings are compared on the paper's method, on one that takes no text and on full fine-tuning.
COMPARED = [MAFSAR, "AIM", "FullFineTuning"]


def training(built: FewShotModel, settings: TrainSettings, sizes: Sizes) -> Run:
    """Run one step and wait until the device has finished."""
    device = next(built.parameters()).device
    task = episode(built, sizes, device)
    optimizer = build_optimizer(built.train(), settings)
    half = settings.precision == "bf16"

    def run() -> None:
        episode_loss(built, task, half, settings.together).backward()
        optimizer.step()
        optimizer.zero_grad()
        synchronize(device)

    return run


@contextmanager
def memory(device: torch.device, run: Run) -> Iterator[dict[str, int]]:
    """Peak memory of a step in bytes; on a GPU including the weights."""
    found: dict[str, int] = {}
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    yield found
    if device.type == "cuda":
        found["peak bytes"] = torch.cuda.max_memory_allocated(device)
        found["peak bytes reserved"] = torch.cuda.max_memory_reserved(device)
    else:
        found["peak bytes"] = peak(run)


def measure(
    benchmark: BenchmarkFixture, adapter: str, given: dict[str, Any], sizes: Sizes, where: Any
) -> None:
    """Time and memory of one setting."""
    built = model(adapter, sizes, where)
    settings = TrainSettings(**given)
    run = training(built, settings, sizes)
    if benchmark.disabled:
        with accelerated(built.backbone, settings):
            benchmark(run)
        return
    with accelerated(built.backbone, settings), memory(where, run) as found:
        benchmark.pedantic(run, rounds=ROUNDS, warmup_rounds=3)
    tuned, total = count_parameters(built, trainable=True), count_parameters(built)
    benchmark.extra_info.update(found, tuned=tuned, parameters=total, settings=asdict(settings))


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_adapter(
    benchmark: BenchmarkFixture, adapter: str, sizes: Sizes, device: torch.device
) -> None:
    benchmark.group = "every adapter, bf16 on a GPU and fp32 on a CPU"
    precision = "bf16" if device.type == "cuda" else "fp32"
    measure(benchmark, adapter, {"precision": precision}, sizes, device)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("adapter", COMPARED)
def test_setting(
    benchmark: BenchmarkFixture,
    adapter: str,
    setting: str,
    sizes: Sizes,
    device: torch.device,
    request: pytest.FixtureRequest,
) -> None:
    given = SETTINGS[setting]
    if given.get("compile") and not request.config.getoption("--compiled"):
        pytest.skip("--compiled is not given")
    benchmark.group = adapter
    measure(benchmark, adapter, given, sizes, device)
