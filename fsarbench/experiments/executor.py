"""Runs one after another; a failing one does not stop the others."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import IO

from fsarbench.errors import UserError
from fsarbench.experiments.plan import CONFIG, Planned
from fsarbench.results.run_result import read_result
from fsarbench.runtime.atomic_files import write_text

LOG = "log.txt"


def refuse_ranks(what: str) -> None:
    """Refuses to start runs from one of several processes: each of them would start its own.

    Raises:
        UserError: This is one of several.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UserError(
            f"{what} cannot be run by several processes at once. Start one training at a time, "
            "such as: torchrun --nproc-per-node=2 -m fsarbench run CONFIG --set seed=0 --work-dir "
            "DIR/seed_0; `fsarbench compare DIR` makes the table."
        )


def run_options(device: str | None, quiet: bool = False) -> list[str]:
    """The options of `fsarbench run` that every run of several gets."""
    return [*([] if device is None else [f"--device={device}"]), *(["--quiet"] if quiet else [])]


def launch(run: Planned, options: list[str], logged: bool) -> str:
    """Runs it, or goes on with it.

    Args:
        run: What to run.
        options: Further options of `fsarbench run`.
        logged: Whether its output goes to `log.txt` in its folder, and not to the terminal.

    Returns:
        Why it failed; empty if it did not.
    """
    # Written before the run starts, so that other settings never go on from its checkpoints.
    write_text(run.folder / CONFIG, run.loaded.text())
    command = [sys.executable, "-m", "fsarbench", "run", run.config]
    command += [f"--name={run.name}", f"--work-dir={run.folder}", "--resume", *options]
    command += [f"--set={override}" for override in run.sets]
    if not logged:
        return _reason(_start(command), "")
    place = run.folder / LOG
    with place.open("w", encoding="utf-8") as log:
        status = _start(command, log)
    return _reason(status, place.read_text(encoding="utf-8", errors="replace"), place)


def _start(command: list[str], log: IO[str] | None = None) -> int:
    errors = None if log is None else subprocess.STDOUT
    # When we are told to end, the run ends with us: started again, two would write to one folder.
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        return subprocess.run(command, stdout=log, stderr=errors, check=False).returncode
    finally:
        signal.signal(signal.SIGTERM, before)


def _reason(status: int, said: str, place: Path | None = None) -> str:
    if status == 0:
        return ""
    where = "" if place is None else f" (its output: {place})"
    if status < 0:
        return f"ended by {signal.Signals(-status).name}{where}"
    # The last message of the command line, or the last line of a traceback.
    message = f"\n{said}".rpartition("\nfsarbench: ")[2].strip() or f"exit status {status}"
    return f"{message if status == 2 else message.splitlines()[-1]}{where}"


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
