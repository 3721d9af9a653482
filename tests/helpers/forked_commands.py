"""Commands that begin at the same moment, and runs whose worker is killed; a process of its own.

Each command is forked from this process, which has everything imported: so a run costs a second,
and runs of a pair meet while they claim a folder and not while they import.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from fsarbench.cli import app
from fsarbench.data.frame_store import build  # noqa: F401  imported before any fork
from fsarbench.experiments import run, seeds, sweep  # noqa: F401

LIMIT = float(os.environ.get("FSARBENCH_TEST_LIMIT", "60"))  # seconds


def start(log: str, *args: str) -> int:
    """Forks a command whose outputs go to files; returns the process."""
    process = os.fork()
    if process == 0:
        try:
            for name, number in (("out", 1), ("err", 2)):
                os.dup2(os.open(f"{log}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
            sys.argv = ["fsarbench", *args]
            app.main()
            os._exit(0)
        except SystemExit as ended:
            sys.stdout.flush()
            os._exit(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
        finally:
            os._exit(1)
    return process


def end(process: int, log: str) -> dict[str, object]:
    """Waits for a command; what it printed and how it ended, `hang` beyond the limit."""
    deadline = time.monotonic() + LIMIT
    while (found := os.waitpid(process, os.WNOHANG))[0] == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    if found[0] == 0:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(found[1]) if found[0] else "hang"
    texts = {name: Path(f"{log}.{name}").read_text() for name in ("out", "err")}
    return {"code": code, **texts}


def forked(parent: int) -> list[int]:
    """The child processes that have the command line of their parent, as forked ones do."""
    try:
        command = Path(f"/proc/{parent}/cmdline").read_bytes()
        children = Path(f"/proc/{parent}/task").glob("*/children")
        found = [int(child) for path in children for child in path.read_text().split()]
        return [c for c in found if Path(f"/proc/{c}/cmdline").read_bytes() == command]
    except OSError:
        return []


def kill_worker(process: int, after: float) -> None:
    """Kills a decoding process of a run, some seconds after there are any."""
    deadline = time.monotonic() + LIMIT
    killed = False
    while not killed and time.monotonic() < deadline:
        if not (workers := forked(process)):
            time.sleep(0.002)
            continue
        time.sleep(after)
        after = 0
        for worker in forked(process)[:1] or workers[:1]:
            try:
                os.kill(worker, signal.SIGKILL)
                killed = True
            except OSError:  # it was at its end
                pass


def main(kind: str, count: int, commands: list[list[str]]) -> None:
    """Starts the commands together (`pair`) or kills a worker of each (`kill`); prints JSON."""
    torch.set_num_threads(1)
    draw, found = random.Random(0), []
    for number in range(count):
        logs = [f"{kind}{number}_{index}" for index in range(len(commands))]
        processes = [start(log, *args) for log, args in zip(logs, commands, strict=True)]
        if kind == "kill":
            kill_worker(processes[0], draw.random())
        found.append([end(p, log) for p, log in zip(processes, logs, strict=True)])
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
