"""Work on many videos in processes, each with a time limit that holds even inside a decoder.

The processes end by themselves when whoever started them is killed.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, Literal, TypeVar

from fsarbench.errors import UserError

Task = TypeVar("Task")
Result = TypeVar("Result")

# Seconds between two looks at the clock, and in which a process has to be ready.
LOOK, START = 0.2, 120.0


@dataclass(frozen=True)
class Lost:
    """A task whose process did not come back with a result, and why."""

    kind: Literal["slow", "crash"]
    reason: str


def each(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int, limit: float
) -> Iterator[tuple[int, Result | Lost]]:
    """What a function returns for each task, with the task's number, in the order of finishing.

    Args:
        function: A function of a module (or a partial of one) that raises nothing; another process
            imports it.
        tasks: What it is called with.
        workers: Processes.
        limit: Seconds a task; the process of one that takes longer is ended.

    Raises:
        UserError: Processes cannot be started.
    """
    if not tasks:
        return
    waiting = iter(enumerate(tasks))
    team = [Worker(function) for _ in range(max(1, min(workers, len(tasks))))]
    try:
        while team:
            ready = wait([worker.pipe for worker in team], LOOK)
            for worker in list(team):
                found = worker.result(worker.pipe in ready, limit)
                if found:
                    yield found
                if worker.ended:
                    team.remove(worker)
                    worker.close()
                    worker = Worker(function)
                    team.append(worker)
                if worker.idle and not worker.give(next(waiting, None)):
                    team.remove(worker)
                    worker.close()
    finally:
        for worker in team:
            worker.close()


class Worker(Generic[Task, Result]):
    """One process and what it is working on.

    Args:
        function: What it does with a task.
    """

    def __init__(self, function: Callable[[Task], Result]) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, function), daemon=True)
        try:
            self.process.start()
        except OSError as error:
            raise UserError(f"Processes that decode videos cannot be started ({error}).") from error
        theirs.close()
        self.task: int | None = None
        self.idle = self.ended = False
        self.since = time.monotonic()

    def give(self, task: tuple[int, Task] | None) -> bool:
        """Hand over the next task; False if there is none left."""
        if task is None:
            return False
        self.task, self.idle, self.since = task[0], False, time.monotonic()
        # One that was ended meanwhile is noticed as one that ends in the task: by its empty pipe.
        with suppress(OSError):
            self.pipe.send(task[1])
        return True

    def result(self, ready: bool, limit: float) -> tuple[int, Result | Lost] | None:
        """What came of the task; `Lost` if the process ended or takes too long."""
        if ready:
            return self._received()
        seconds = time.monotonic() - self.since
        if self.task is None and not self.idle and seconds > START:
            raise UserError("Processes that decode videos do not start on this machine.")
        if self.task is None or seconds <= limit:
            return None
        self.ended = True
        return self.task, Lost("slow", f"not decoded within {limit:g} s")

    def _received(self) -> tuple[int, Result | Lost] | None:
        try:
            result = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join(5)
            if self.task is None:
                raise UserError("A process that decodes videos ended as it started.") from None
            self.ended = True
            code = self.process.exitcode
            return self.task, Lost("crash", f"the decoder crashed (exit code {code})")
        task, self.task, self.idle = self.task, None, True
        return None if task is None else (task, result)

    def close(self) -> None:
        """End the process."""
        self.pipe.close()
        self.process.kill()
        self.process.join()


def _serve(pipe: "Connection[Any, Any]", function: Callable[[Any], Any]) -> None:
    # Ends by itself when nobody is left at the other end.
    try:
        pipe.send(None)
        while True:
            pipe.send(function(pipe.recv()))
    except (EOFError, OSError, KeyboardInterrupt):
        return
