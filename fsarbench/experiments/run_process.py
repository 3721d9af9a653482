"""Start of a run in a new process, with a log of its own.

This module must not import torch, which takes seconds: a job of a cluster imports it only to start
the process that computes.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

LOG = "log.txt"
# Slurm sends this signal to all processes of a job before its time ends (submitit asks for it).
TIME_ENDS = getattr(signal, "SIGUSR2", None)
# Seconds within which the process that waits for the run has to receive the signal, too.
BOTH_SIGNALLED = 10.0


def run_command(
    config: str, sets: Sequence[str], name: str, folder: Path, options: Sequence[str]
) -> list[str]:
    """Command that starts or resumes a run.

    Args:
        config: Path or name of the config.
        sets: Overrides of the config, including the seed.
        name: Name of the run in tables.
        folder: Output folder.
        options: Further options of `fsarbench run`.
    """
    command = [sys.executable, "-m", "fsarbench", "run", config]
    command += [f"--name={name}", f"--work-dir={folder}", "--resume", *options]
    return command + [f"--set={override}" for override in sets]


def run_and_wait(
    command: list[str], folder: Path | None, environment: Mapping[str, str] | None = None
) -> str:
    """Run a command, with its output in `log.txt` of a folder or on the terminal.

    Args:
        command: Command to run.
        folder: Folder of the log; None for the terminal.
        environment: Further environment variables.

    Returns:
        Reason for a failure; empty if the command succeeded.
    """
    if folder is None:
        return failure(start(command, None, environment), "")
    log_path = folder / LOG
    with log_path.open("w", encoding="utf-8") as log:
        status = start(command, log, environment)
    return failure(status, log_path.read_text(encoding="utf-8", errors="replace"), log_path)


def start(
    command: list[str], log: IO[str] | None = None, environment: Mapping[str, str] | None = None
) -> int:
    """Run a command, wait for its end and return its exit status."""
    errors = None if log is None else subprocess.STDOUT
    variables = {**os.environ, **(environment or {})}
    with ended_by_sigterm():
        status = subprocess.run(
            command, stdout=log, stderr=errors, check=False, env=variables
        ).returncode
        if TIME_ENDS is not None and status == -TIME_ENDS:
            # The handler of submitit puts the job back into the queue, where it is resumed.
            time.sleep(BOTH_SIGNALLED)
        return status


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM raise `SystemExit`, so that the processes started in the block end as well.

    Otherwise they would continue, and a restarted job would start a second process in the same
    folder.
    """
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def failure(status: int, output: str, log_path: Path | None = None) -> str:
    """Reason for a failure from exit status and output; empty if the status is 0."""
    if status == 0:
        return ""
    reference = "" if log_path is None else f" (output: {log_path})"
    if status < 0:
        return f"ended by {signal.Signals(-status).name}{reference}"
    # The last message of the command line, or the last line of a traceback.
    message = f"\n{output}".rpartition("\nfsarbench: ")[2].strip() or f"exit status {status}"
    return f"{message if status == 2 else message.splitlines()[-1]}{reference}"


def last_line(log_path: Path) -> str:
    """Last line of a log that is not empty; empty without a log."""
    try:
        text = log_path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # A progress bar separates its states by carriage returns.
    lines = [line.strip() for line in text.replace("\r", "\n").splitlines() if line.strip()]
    return lines[-1] if lines else ""
