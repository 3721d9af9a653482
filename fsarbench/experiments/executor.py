"""Execution of several runs one after another; a failed run does not stop the others."""

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
    """Check that this is a single process, because each of several would start all runs.

    Args:
        what: Name of the job, for the message.

    Raises:
        UserError: This is one of several processes.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UserError(
            f"{what} cannot be run by several processes at once. Start each training separately, "
            "such as: torchrun --nproc-per-node=2 -m fsarbench run CONFIG --set seed=0 --work-dir "
            "DIR/seed_0. Then `fsarbench compare DIR` prints the table."
        )


def run_options(device: str | None, quiet: bool = False) -> list[str]:
    """Options of `fsarbench run` for each of several runs."""
    return [*([] if device is None else [f"--device={device}"]), *(["--quiet"] if quiet else [])]


def launch(run: Planned, options: list[str], logged: bool) -> str:
    """Start or resume a run in a new process.

    Args:
        run: Run to start.
        options: Further options of `fsarbench run`.
        logged: Whether to write the output to `log.txt` in the folder of the run instead of the
            terminal.

    Returns:
        Reason for a failure; empty if the run succeeded.
    """
    # Written before the start, so that a run with other settings cannot resume from this folder.
    write_text(run.folder / CONFIG, run.loaded.text())
    command = [sys.executable, "-m", "fsarbench", "run", run.config]
    command += [f"--name={run.name}", f"--work-dir={run.folder}", "--resume", *options]
    command += [f"--set={override}" for override in run.sets]
    if not logged:
        return _reason(_start(command), "")
    log_path = run.folder / LOG
    with log_path.open("w", encoding="utf-8") as log:
        status = _start(command, log)
    return _reason(status, log_path.read_text(encoding="utf-8", errors="replace"), log_path)


def _start(command: list[str], log: IO[str] | None = None) -> int:
    errors = None if log is None else subprocess.STDOUT
    # SIGTERM also ends the run. Otherwise it would continue, and a restarted job would start a
    # second process in the same folder.
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        return subprocess.run(command, stdout=log, stderr=errors, check=False).returncode
    finally:
        signal.signal(signal.SIGTERM, before)


def _reason(status: int, output: str, log_path: Path | None = None) -> str:
    if status == 0:
        return ""
    reference = "" if log_path is None else f" (output: {log_path})"
    if status < 0:
        return f"ended by {signal.Signals(-status).name}{reference}"
    # The last message of the command line, or the last line of a traceback.
    message = f"\n{output}".rpartition("\nfsarbench: ")[2].strip() or f"exit status {status}"
    return f"{message if status == 2 else message.splitlines()[-1]}{reference}"


@dataclass
class Done:
    """Finished and failed runs.

    Attributes:
        finished: Runs with a result, in order.
        failed: Reasons for failures, by title of the run.
    """

    finished: list[Planned] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def run_all(runs: Sequence[Planned], options: list[str], logged: bool) -> Done:
    """Run all unfinished runs, and print one line for each run.

    Args:
        runs: Runs in the order of execution.
        options: Further options of `fsarbench run`.
        logged: Whether to write the output of each run to a file in its folder instead of the
            terminal.
    """
    done = Done()
    for number, run in enumerate(runs, 1):
        start, was_finished = time.monotonic(), run.finished
        reason = "" if was_finished else launch(run, options, logged)
        seconds = timedelta(seconds=round(time.monotonic() - start))
        if reason:
            done.failed[run.title] = reason
            outcome = f"failed after {seconds}: {reason}"
        else:
            done.finished.append(run)
            accuracy = read_result(run.folder)["accuracy"]["mean"]
            outcome = f"{accuracy:.2%}, {'finished earlier' if was_finished else f'in {seconds}'}"
        print(f"[{number}/{len(runs)}] {run.title}: {outcome}", flush=True)
    return done
