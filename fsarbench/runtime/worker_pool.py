"""Worker processes with a time limit per task that also holds if a decoder hangs.

The workers end if the main process is killed.
"""

import multiprocessing
import pickle
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import ModuleType
from typing import Any, Generic, Literal, TypeVar

from fsarbench.errors import UserError

Task = TypeVar("Task")
Result = TypeVar("Result")

# Seconds between two checks of the time limits, and seconds until a new worker has to be ready.
POLL_INTERVAL, START_LIMIT = 0.2, 120.0


@dataclass(frozen=True)
class LostTask:
    """Task without a result, because its worker crashed or exceeded the time limit."""

    kind: Literal["slow", "crash"]
    reason: str


def run_tasks(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int, limit: float
) -> Iterator[tuple[int, Result | LostTask]]:
    """Call a function for each task in worker processes; yield index and result of each one.

    The results are in the order of finishing.

    Args:
        function: Function that raises nothing and can be pickled, such as a module-level function.
        tasks: Arguments of the calls.
        workers: Number of processes.
        limit: Time limit per task in seconds; a worker that exceeds it is killed.

    Raises:
        UserError: Processes cannot be started.
    """
    if not tasks:
        return
    waiting = iter(enumerate(tasks))
    team = [Worker(function) for _ in range(max(1, min(workers, len(tasks))))]
    try:
        while team:
            ready = wait([worker.pipe for worker in team], POLL_INTERVAL)
            for worker in list(team):
                result = worker.result(worker.pipe in ready, limit)
                if result:
                    yield result
                if worker.ended:
                    team.remove(worker)
                    worker.close()
                    worker = Worker(function)
                    team.append(worker)
                if worker.idle and not worker.assign(next(waiting, None)):
                    team.remove(worker)
                    worker.close()
    finally:
        for worker in team:
            worker.close()


class Worker(Generic[Task, Result]):
    """One worker process and its current task.

    Args:
        function: Function that the worker calls for each task.
    """

    def __init__(self, function: Callable[[Task], Result]) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, worker_end = context.Pipe()
        self.process = context.Process(target=_serve, args=(worker_end, function), daemon=True)
        try:
            with _main_module_hidden(function):
                self.process.start()
        except OSError as error:
            raise UserError(f"Processes that decode videos cannot be started ({error}).") from error
        worker_end.close()
        self.task: int | None = None
        self.idle = self.ended = False
        self.since = time.monotonic()

    def assign(self, task: tuple[int, Task] | None) -> bool:
        """Send the next task to the worker; return False if there is none."""
        if task is None:
            return False
        self.task, self.idle, self.since = task[0], False, time.monotonic()
        # If the worker just died, sending fails here, and `result` reports the crash.
        with suppress(OSError):
            self.pipe.send(task[1])
        return True

    def result(self, ready: bool, limit: float) -> tuple[int, Result | LostTask] | None:
        """Index and result of the current task; None if it is not finished.

        Args:
            ready: Whether the pipe can be read.
            limit: Time limit in seconds.

        Raises:
            UserError: The worker does not start.
        """
        if ready:
            return self._received()
        seconds = time.monotonic() - self.since
        if self.task is None and not self.idle and seconds > START_LIMIT:
            raise UserError("Processes that decode videos do not start on this machine.")
        if self.task is None or seconds <= limit:
            return None
        self.ended = True
        return self.task, LostTask("slow", f"not decoded within {limit:g} s")

    def _received(self) -> tuple[int, Result | LostTask] | None:
        try:
            result = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join(5)
            if self.task is None:
                raise UserError(
                    "A process that decodes videos ended before it was ready."
                ) from None
            self.ended = True
            code = self.process.exitcode
            return self.task, LostTask("crash", f"the decoder crashed (exit code {code})")
        task, self.task, self.idle = self.task, None, True
        return None if task is None else (task, result)

    def close(self) -> None:
        """Kill the process."""
        self.pipe.close()
        self.process.kill()
        self.process.join()


@contextmanager
def _main_module_hidden(function: Callable[[Any], Any]) -> Iterator[None]:
    """Keep new processes from running the script of the main process again.

    They do so to find what the script defines, and a script without `if __name__ == "__main__"`
    would start workers from workers. A function that needs the script keeps it.
    """
    main = sys.modules["__main__"]
    if b"__main__" not in pickle.dumps(function):
        sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _serve(pipe: "Connection[Any, Any]", function: Callable[[Any], Any]) -> None:
    # The first message says that the worker is ready. EOFError: the main process has ended.
    try:
        pipe.send(None)
        while True:
            pipe.send(function(pipe.recv()))
    except (EOFError, OSError, KeyboardInterrupt):
        return
