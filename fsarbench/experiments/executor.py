"""Execution of several runs one after another; a failed run does not stop the others."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from fsarbench.errors import UserError
from fsarbench.experiments.plan import CONFIG, Planned
from fsarbench.experiments.run_process import run_and_wait, run_command
from fsarbench.results.run_result import read_result
from fsarbench.runtime.atomic_files import write_text


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


def run_options(device: str | None, quiet: bool = False, cache_frames: bool = False) -> list[str]:
    """Options of `fsarbench run` for each of several runs."""
    chosen = {"--quiet": quiet, "--cache-frames": cache_frames}
    device_option = [] if device is None else [f"--device={device}"]
    return [*device_option, *(option for option, given in chosen.items() if given)]


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
    write_config(run)
    command = run_command(run.config, run.sets, run.name, run.folder, options)
    return run_and_wait(command, run.folder if logged else None)


def write_config(run: Planned) -> None:
    """Write the config of a run to its folder.

    Before the start, so that a run with other settings cannot resume from this folder.
    """
    write_text(run.folder / CONFIG, run.loaded.text())


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
        began, was_finished = time.monotonic(), run.finished
        reason = "" if was_finished else launch(run, options, logged)
        seconds = timedelta(seconds=round(time.monotonic() - began))
        if reason:
            done.failed[run.title] = reason
            outcome = f"failed after {seconds}: {reason}"
        else:
            done.finished.append(run)
            accuracy = read_result(run.folder)["accuracy"]["mean"]
            outcome = f"{accuracy:.2%}, {'finished earlier' if was_finished else f'in {seconds}'}"
        print(f"[{number}/{len(runs)}] {run.title}: {outcome}", flush=True)
    return done
