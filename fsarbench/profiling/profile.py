"""`fsarbench profile`: what configs cost, in one table and one file."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fsarbench.config.build import build_settings
from fsarbench.config.loading import load
from fsarbench.config.validation import check
from fsarbench.profiling.dummy_inputs import subject_of
from fsarbench.profiling.record import SCHEMA, Timed, record_of
from fsarbench.profiling.roofline import roofline
from fsarbench.profiling.timing import conditions
from fsarbench.report.profile_page import show
from fsarbench.runtime.atomic_files import require_writable, write_text
from fsarbench.runtime.environment import choose_device
from fsarbench.runtime.progress import Bars
from fsarbench.training.precision import uses_bf16


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says.

    Attributes:
        device: The device by name; None for the GPU where there is one.
        json: The file to write; None for none.
        timed: How time is measured.
        roofline: Whether to hold the first config against the device's ceilings.
    """

    device: str | None = None
    json: str | None = None
    timed: Timed = field(default_factory=Timed)
    roofline: bool = False


def profile(configs: Sequence[str], overrides: Sequence[str], options: Options) -> None:
    """Prints what configs cost, and writes it.

    Raises:
        UserError: A config is wrong, or the device is missing or too small.
    """
    if options.json is not None:
        require_writable(Path(options.json), "--json")
    device = choose_device(options.device)
    loaded = [load(config, overrides) for config in configs]
    for config in loaded:
        check(config)
    records = []
    with Bars().task("profile", len(loaded)) as bar:
        for config in loaded:
            records.append(record_of(config, device, options.timed))
            bar.advance(1)
    found: dict[str, Any] = {"schema": SCHEMA, **conditions(device), "configs": records}
    if options.roofline:
        values = loaded[0].values
        half = uses_bf16(build_settings(values).train, device)
        repeats = options.timed.repeats or 1
        found["roofline"] = roofline(subject_of(values), device, half, repeats)
    show(found)
    if options.json is not None:
        write_text(Path(options.json), json.dumps(found, indent=2, allow_nan=False) + "\n")
