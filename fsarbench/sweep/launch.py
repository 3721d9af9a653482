"""One run in a process of its own.

A crash of one run, or the system ending it for its memory, then leaves the others alone, and the
peak memory that a run reports is its own. It costs the seconds that torch takes to load.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from fsarbench.errors import UserError
from fsarbench.experiments.plan import CONFIG, Planned
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
