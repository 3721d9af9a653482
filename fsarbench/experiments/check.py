"""`fsarbench check` of one config, or of all configs of the package in one process.

Modules that import torch are imported inside the functions, after the checks that need no torch.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fsarbench.catalogue.config_variants import config_names, other_names
from fsarbench.config.data_at_hand import missing_videos
from fsarbench.config.loading import BRANCHES, load_config
from fsarbench.errors import UserError
from fsarbench.runtime import shape_checks
from fsarbench.runtime.progress import ProgressBars


def check_one(name: str, overrides: Sequence[str] = ()) -> None:
    """Check a config, run one episode without data or weights, and print its components.

    Missing videos are no fault; they are reported first, because they are found in a moment.

    Args:
        name: Config file or name.
        overrides: Strings `key=value`.

    Raises:
        UserError: The config has faults, or its components do not work together.
    """
    loaded = load_config(name, overrides)
    missing = missing_videos(loaded)
    # The note on the corpus names the missing videos, too.
    if missing and not (loaded.values.get("text_encoder") or {}).get("corpus"):
        print(f"Checked without videos: {missing}", file=sys.stderr, flush=True)
    shape_checks.enforce()
    from fsarbench.config.validation import check_config
    from fsarbench.experiments.dry_run import check_corpus, dry_run
    from fsarbench.report.run_summary import print_components

    check_config(loaded)
    print_components(loaded, dry_run(loaded.values))
    note = check_corpus(loaded.values)
    if note:
        print(note, file=sys.stderr)


@dataclass(frozen=True)
class Checked:
    """Result of the check of one config.

    Attributes:
        name: Name of the config.
        fault: Message of the faults; empty without any.
        videos: Whether its videos are on this machine, or can be generated.
    """

    name: str
    fault: str
    videos: bool


def check_all(names: Sequence[str] | None = None) -> list[Checked]:
    """Check configs in one process; configs with equal models run one episode together.

    Args:
        names: Names of configs; None for all configs of the package.
    """
    shape_checks.enforce()
    names = [*config_names(), *other_names()] if names is None else names
    passed: set[str] = set()
    results = []
    with ProgressBars().task("check", len(names)) as bar:
        for name in names:
            results.append(checked(name, passed))
            bar.advance(1)
    return results


def checked(name: str, passed: set[str]) -> Checked:
    """Check one config of several.

    Args:
        name: Config file or name.
        passed: Models that ran an episode, from `model_key`; a new model is added.
    """
    from fsarbench.config.validation import check_config
    from fsarbench.experiments.dry_run import dry_run

    videos = False
    try:
        loaded = load_config(name)
        videos = not missing_videos(loaded)
        check_config(loaded)
        key = model_key(loaded.values)
        if key not in passed:
            dry_run(loaded.values)
            passed.add(key)
    except UserError as error:
        return Checked(name, str(error), videos)
    return Checked(name, "", videos)


def model_key(values: Mapping[str, Any]) -> str:
    """Components and clips of a config as text.

    Data sets, recipes, numbers of shots, and arguments of losses are left out.
    """
    slots = ("backbone", "text_encoder", "adapter", "neck", "prototypes", "matcher", "readout")
    kept = [values.get(key) for key in (*slots, BRANCHES, "clips")]
    losses = {name: spec and spec["type"] for name, spec in (values.get("losses") or {}).items()}
    return f"{kept} {losses}"


def print_all() -> bool:
    """Check all configs of the package and print a table; returns whether all are without fault."""
    from fsarbench.report.run_summary import checks_table
    from fsarbench.runtime.progress import make_console

    results = check_all()
    make_console().print(checks_table([(r.name, r.fault, r.videos) for r in results]))
    faulty = [result for result in results if result.fault]
    for result in faulty:
        print(f"{result.name}: {result.fault}", file=sys.stderr)
    print(f"{len(results)} configs, {len(faulty)} with faults")
    return not faulty
