"""`fsarbench profile`: what configs cost, in one table and one file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from fsarbench.config.build import build_settings
from fsarbench.config.loading import LoadedConfig, load_config
from fsarbench.config.validation import check_config
from fsarbench.profiling.dummy_inputs import ProfiledModel, build_profiled_model
from fsarbench.profiling.memory import Peak, computed_testing, computed_training
from fsarbench.profiling.operations import CONVENTION, Training, count_testing, count_training
from fsarbench.profiling.parameters import slot_parameters
from fsarbench.profiling.roofline import roofline as measure_roofline
from fsarbench.profiling.timing import Measured, Stand, conditions, measure
from fsarbench.runtime.atomic_files import require_writable, write_text
from fsarbench.runtime.environment import choose_device
from fsarbench.runtime.progress import ProgressBars
from fsarbench.training.precision import uses_bf16

SCHEMA = 1
LEAN = ("precision", "tf32", "checkpointing", "compile", "together")


@dataclass(frozen=True, kw_only=True)
class Timed:
    """How time is measured.

    Attributes:
        repeats: How often each piece of work is timed; 0 measures nothing.
        warmup: How often it runs before.
    """

    repeats: int = 10
    warmup: int = 2


TIMED = Timed()


def record_of(config: LoadedConfig, device: torch.device, timed: Timed) -> dict[str, Any]:
    """The cost of one checked config; memory in bytes, times in seconds."""
    subject = build_profiled_model(config.values)
    half = uses_bf16(subject.settings.train, device)
    slots = [asdict(slot) for slot in slot_parameters(subject.model)]
    return {
        "name": config.name,
        "setting": setting_of(subject, half),
        "parameters": {
            "tuned": sum(slot["tuned"] for slot in slots),
            "total": sum(slot["total"] for slot in slots),
            "slots": slots,
        },
        "operations": {
            "convention": CONVENTION,
            "testing": asdict(count_testing(subject)),
            "training": _training(count_training(subject)),
        },
        "memory": {
            "testing": _peak(computed_testing(subject, half)),
            "training": _peak(computed_training(subject, half)),
        },
        "measured": _measured(subject, device, half, timed),
        "config": config.text(),
    }


def setting_of(subject: ProfiledModel, half: bool) -> dict[str, Any]:
    """The kind of episode and how it is run."""
    kind, clips = subject.settings.episodes, subject.clips
    settings, training = asdict(subject.settings.train), kind.of("train")
    return {
        "way": kind.way,
        "shot": kind.shot,
        "queries_a_class": kind.queries,
        "train_way": training.way,
        "train_shot": training.shot,
        "train_queries_a_class": training.queries,
        "frames": clips.frames,
        "size": clips.size,
        **{key: settings[key] for key in LEAN},
        "precision": "bf16" if half else "fp32",
        "optimiser": "AdamW",
    }


def _training(counted: Training | None) -> Mapping[str, Any] | None:
    return None if counted is None else {**asdict(counted), "step": counted.step}


def _peak(peak: Peak | None) -> Mapping[str, int] | None:
    return None if peak is None else asdict(peak)


def _measured(
    subject: ProfiledModel, device: torch.device, half: bool, timed: Timed
) -> Mapping[str, Any] | None:
    if not timed.repeats:
        return None
    stand = Stand(subject, device, half, timed.repeats, timed.warmup)
    return {name: _plain(found) for name, found in measure(stand).items()}


def _plain(found: Measured) -> dict[str, Any]:
    return {**asdict(found), "rate": found.rate}


def profile(
    configs: Sequence[str],
    overrides: Sequence[str] = (),
    *,
    device: str | None = None,
    json_file: str | None = None,
    timed: Timed = TIMED,
    roofline: bool = False,
) -> dict[str, Any]:
    """Parameters, operations, memory and speed of configs, as the content of the JSON file.

    Args:
        configs: Config files or names.
        overrides: Strings `key=value`.
        device: Name of the device; None for the GPU where there is one.
        json_file: File to write; None for none.
        timed: How time is measured.
        roofline: Compare the first config with the ceilings of the device.

    Raises:
        UserError: A config is wrong, or the device is missing or too small.
    """
    if json_file is not None:
        require_writable(Path(json_file), "--json")
    target = choose_device(device)
    loaded = [load_config(config, overrides) for config in configs]
    for config in loaded:
        check_config(config)
    records = []
    with ProgressBars().task("profile", len(loaded)) as bar:
        for config in loaded:
            records.append(record_of(config, target, timed))
            bar.advance(1)
    found: dict[str, Any] = {"schema": SCHEMA, **conditions(target), "configs": records}
    if roofline:
        values = loaded[0].values
        half = uses_bf16(build_settings(values).train, target)
        model = build_profiled_model(values)
        found["roofline"] = measure_roofline(model, target, half, timed.repeats or 1)
    if json_file is not None:
        write_text(Path(json_file), json.dumps(found, indent=2, allow_nan=False) + "\n")
    return found
