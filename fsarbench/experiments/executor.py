"""Runs one after another; a failing one does not stop the others."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from fsarbench.experiments.plan import Planned
from fsarbench.results.run_result import read_result
from fsarbench.sweep.launch import launch


@dataclass
class Done:
    """What came of some runs.

    Attributes:
        finished: Those with a result, in order.
        failed: Why each of the others has none, by its title.
    """

    finished: list[Planned] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def run_all(runs: Sequence[Planned], options: list[str], logged: bool) -> Done:
    """Runs what is not finished, and says how each ended.

    Args:
        runs: In order.
        options: Further options of `fsarbench run`.
        logged: Whether their output goes to a file in their folder, and not to the terminal.
    """
    done = Done()
    for number, run in enumerate(runs, 1):
        start, before = time.monotonic(), run.finished
        reason = "" if before else launch(run, options, logged)
        spent = timedelta(seconds=round(time.monotonic() - start))
        if reason:
            done.failed[run.title] = reason
            how = f"failed after {spent}: {reason}"
        else:
            done.finished.append(run)
            accuracy = read_result(run.folder)["accuracy"]["mean"]
            how = f"{accuracy:.2%}, {'kept' if before else f'in {spent}'}"
        print(f"[{number}/{len(runs)}] {run.title}: {how}", flush=True)
    return done
