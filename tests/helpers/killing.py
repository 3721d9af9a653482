"""Runs of the command line that are killed at drawn moments; called as a process of its own.

Each run is forked from this process, which has everything imported: so a run costs a second, and
none of the kills falls into the seconds that imports take.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from fsarbench.cli import app
from fsarbench.experiments import run

PHASES = {"train": b"t", "test": b"f"}


@dataclass
class Child:
    """A forked run.

    Attributes:
        process: Its id.
        marks: Where it says that a phase begins.
    """

    process: int
    marks: int

    def reach(self, phase: str) -> None:
        """Waits until a phase begins."""
        while (mark := os.read(self.marks, 1)) != PHASES[phase]:
            assert mark, f"the run ended before its {phase}"

    def ended(self) -> bool:
        """Whether it ended by itself."""
        return os.waitpid(self.process, os.WNOHANG)[0] != 0


def start(folder: Path, *more: str) -> Child:
    """Forks a run of `toy.py` into a folder."""
    marks, told = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(marks)
        try:
            be_run(folder, told, more)
        finally:
            os._exit(1)
    os.close(told)
    return Child(process, marks)


def be_run(folder: Path, told: int, more: tuple[str, ...]) -> None:
    """What the forked process does."""
    log = os.open(f"{folder}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for name, mark in (("train", PHASES["train"]), ("finish", PHASES["test"])):
        setattr(run, name, marked(getattr(run, name), told, mark))
    sys.argv = ["fsarbench", "run", "toy.py", f"--work-dir={folder}", *more]
    try:
        app.main()
    except SystemExit as exit_:
        sys.stdout.flush()
        os._exit(exit_.code if isinstance(exit_.code, int) else 1)


def marked(function: Callable[..., Any], told: int, mark: bytes) -> Callable[..., Any]:
    """A function that says when it is called."""

    def call(*args: Any, **options: Any) -> Any:
        os.write(told, mark)
        return function(*args, **options)

    return call


def undisturbed(folder: Path, *more: str) -> dict[str, float]:
    """A whole run; the seconds of each phase."""
    child = start(folder, *more)
    child.reach("train")
    begin = time.monotonic()
    child.reach("test")
    middle = time.monotonic()
    _, status = os.waitpid(child.process, 0)
    assert status == 0, Path(f"{folder}.log").read_text()
    return {"train": middle - begin, "test": time.monotonic() - middle}


def kill(folder: Path, phase: str, after: float, *more: str) -> tuple[bool, set[str]]:
    """A run that is killed some seconds into a phase.

    Returns:
        Whether it was still running, and how `result.json` was found: `absent`, `whole`, `broken`.
    """
    child = start(folder, *more)
    child.reach(phase)
    deadline = time.monotonic() + after
    seen: set[str] = set()
    while time.monotonic() < deadline:
        seen.add(state(folder))
        if child.ended():
            return False, seen
        time.sleep(0.002)
    os.kill(child.process, signal.SIGKILL)
    os.waitpid(child.process, 0)
    return True, {*seen, state(folder)}


def state(folder: Path) -> str:
    """How `result.json` is."""
    try:
        result = json.loads((folder / "result.json").read_text())
    except FileNotFoundError:
        return "absent"
    except ValueError:
        return "broken"
    return "whole" if {"accuracy", "config"} <= result.keys() else "broken"


def main(kills: int, seed: int) -> None:
    """Kills each phase some times, each run going on afterwards; prints what was seen as JSON."""
    torch.set_num_threads(1)
    lengths = undisturbed(Path("whole"))
    draw, found = random.Random(seed), []
    for phase in PHASES:
        for number in range(kills):
            folder = Path(f"{phase}_{number}")
            after, killed, seen = draw.random() * lengths[phase], False, set()
            while not killed:
                # A machine that is faster now may be through before; then sooner, from the start.
                shutil.rmtree(folder, ignore_errors=True)
                Path(f"{folder}.log").unlink(missing_ok=True)
                killed, seen = kill(folder, phase, after)
                found.append({"phase": phase, "after": after, "killed": killed, "seen": [*seen]})
                after /= 2
            if state(folder) == "whole":  # killed while the written result was printed
                _, status = os.waitpid(start(folder, "--resume").process, 0)
                assert status == 0, Path(f"{folder}.log").read_text()
            else:
                undisturbed(folder, "--resume")
    print(json.dumps({"lengths": lengths, "kills": found}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
