"""Cost of configs for `fsarbench profile`: parameters, FLOPs, memory and time."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from fsarbench.config.build import build_settings
from fsarbench.config.loading import LoadedConfig, load_config
from fsarbench.config.validation import check_config
from fsarbench.evaluation.precision import uses_bf16
from fsarbench.profiling.dummy_inputs import ProfiledModel, build_profiled_model
from fsarbench.profiling.memory import Peak, inference_memory, training_memory
from fsarbench.profiling.operations import CONVENTION, Training, count_testing, count_training
from fsarbench.profiling.parameters import slot_parameters
from fsarbench.profiling.roofline import roofline as measure_roofline
from fsarbench.profiling.timing import Measured, TimingSetup, conditions, measure
from fsarbench.profiling.timing_estimate import Estimate, matrix_product_rate, timed_operations
from fsarbench.runtime.atomic_files import require_writable, write_text
from fsarbench.runtime.environment import choose_device
from fsarbench.runtime.progress import ProgressBars

SCHEMA = 1
# Training settings that change the cost of a step.
COST_SETTINGS = ("precision", "tf32", "checkpointing", "compile", "together")


@dataclass(frozen=True, kw_only=True)
class TimingOptions:
    """Options for timing.

    Attributes:
        repeats: Number of timed runs of each measurement; 0 disables timing.
        warmup: Number of runs before them that are not timed.
        limit: Longest estimated time per config in seconds on a CPU, beyond which it is not timed;
            None for no limit.
    """

    repeats: int = 10
    warmup: int = 2
    limit: float | None = None


# Seconds of timing on a CPU beyond which `fsarbench profile` asks for `--time`.
LIMIT = 60.0
DEFAULT_TIMING = TimingOptions()


def profile_config(
    config: LoadedConfig, device: torch.device, timing: TimingOptions, bars: ProgressBars
) -> dict[str, Any]:
    """Cost of one checked config; memory in bytes, times in seconds."""
    profiled = build_profiled_model(config.values)
    bf16 = uses_bf16(profiled.settings.train, device)
    slots = [asdict(slot) for slot in slot_parameters(profiled.model)]
    testing, training = count_testing(profiled), count_training(profiled)
    setup = TimingSetup(profiled, device, bf16, timing.repeats, timing.warmup)
    queries = len(profiled.episode("test").query)
    operations = timed_operations(testing, training, queries, timing.repeats + timing.warmup)
    return {
        "name": config.name,
        "setting": setting_of(profiled, bf16),
        "parameters": {
            "tuned": sum(slot["tuned"] for slot in slots),
            "total": sum(slot["total"] for slot in slots),
            "slots": slots,
        },
        "operations": {
            "convention": CONVENTION,
            "testing": asdict(testing),
            "training": _training(training),
        },
        "memory": {
            "testing": _peak(inference_memory(profiled, bf16)),
            "training": _peak(training_memory(profiled, bf16)),
        },
        "measured": timings(config.name, setup, operations, timing.limit, bars),
        "config": config.text(),
    }


def setting_of(profiled: ProfiledModel, bf16: bool) -> dict[str, Any]:
    """Episode, clip and training settings that determine the cost."""
    episodes, clips = profiled.settings.episodes, profiled.clips
    settings, training = asdict(profiled.settings.train), episodes.of("train")
    return {
        "way": episodes.way,
        "shot": episodes.shot,
        "queries_a_class": episodes.queries,
        "train_way": training.way,
        "train_shot": training.shot,
        "train_queries_a_class": training.queries,
        "frames": clips.frames,
        "size": clips.size,
        **{key: settings[key] for key in COST_SETTINGS},
        "precision": "bf16" if bf16 else "fp32",
        "optimiser": "AdamW",
    }


def _training(flops: Training | None) -> Mapping[str, Any] | None:
    return None if flops is None else {**asdict(flops), "step": flops.step}


def _peak(peak: Peak | None) -> Mapping[str, int] | None:
    return None if peak is None else asdict(peak)


def timings(
    name: str, setup: TimingSetup, operations: int, limit: float | None, bars: ProgressBars
) -> Mapping[str, Any] | None:
    """Measure the times of one config, after an estimate of how long that takes.

    Args:
        name: Name of the config.
        setup: Setup of the measurements.
        operations: FLOPs of all runs.
        limit: Longest estimated time in seconds on a CPU; None for no limit.
        bars: Progress bars.

    Returns:
        Measurements by name; None if nothing is timed.
    """
    if not setup.repeats:
        return None
    rate = matrix_product_rate(setup.device, setup.bf16)
    estimate = Estimate(operations=operations, rate=rate)
    if limit is not None and setup.device.type == "cpu" and estimate.seconds > limit:
        line = f"{name}: not timed, because that takes {estimate.text()}; --time does it anyway"
        print(line, file=sys.stderr)
        return None
    bars.say(f"{name}: timing takes {estimate.text()}")
    # Matching and a test episode; encoding and a training step where there are any.
    encodes = not setup.profiled.model.backbone.takes_features
    kinds = 2 + int(encodes) + int(setup.profiled.trains)
    with bars.task(f"timing {name}", kinds * (setup.repeats + setup.warmup)) as bar:
        measured = measure(replace(setup, after=bar.advance))
    return {key: _as_dict(values) for key, values in measured.items()}


def _as_dict(measured: Measured) -> dict[str, Any]:
    return {**asdict(measured), "rate": measured.rate}


def profile(
    configs: Sequence[str],
    overrides: Sequence[str] = (),
    *,
    device: str | None = None,
    json_file: str | None = None,
    timing: TimingOptions = DEFAULT_TIMING,
    roofline: bool = False,
) -> dict[str, Any]:
    """Parameters, FLOPs, memory and speed of configs, as the content of the JSON file.

    Args:
        configs: Config files or names.
        overrides: Strings `key=value`.
        device: Name of the device; None for the GPU if there is one.
        json_file: JSON file to write; None for no file.
        timing: Options for timing.
        roofline: Compare the first config with the ceilings of the device.

    Raises:
        UserError: A config is invalid, the device is missing, or its memory is too small.
    """
    if json_file is not None:
        require_writable(Path(json_file), "--json")
    target = choose_device(device)
    loaded = [load_config(config, overrides) for config in configs]
    for config in loaded:
        check_config(config)
    records = []
    bars = ProgressBars()
    with bars.task("profile", len(loaded)) as bar:
        for config in loaded:
            records.append(profile_config(config, target, timing, bars))
            bar.advance(1)
    content: dict[str, Any] = {"schema": SCHEMA, **conditions(target), "configs": records}
    if roofline:
        values = loaded[0].values
        bf16 = uses_bf16(build_settings(values).train, target)
        profiled = build_profiled_model(values)
        content["roofline"] = measure_roofline(profiled, target, bf16, timing.repeats or 1)
    if json_file is not None:
        write_text(Path(json_file), json.dumps(content, indent=2, allow_nan=False) + "\n")
    return content
