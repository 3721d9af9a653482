"""Many videos examined in processes, each with a time limit that holds even inside a decoder."""

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path

from fsarbench.data.checking.examine import examine
from fsarbench.data.checking.facts import Facts
from fsarbench.errors import UserError

# Seconds between two looks at the clock, and in which a process has to be ready.
LOOK, START = 0.2, 120.0


def examine_all(paths: Sequence[Path], workers: int, limit: float) -> Iterator[tuple[int, Facts]]:
    """The facts of all videos, each with its number, in the order in which they are found out.

    Args:
        paths: The videos.
        workers: Processes.
        limit: Seconds a video; the process of one that takes longer is ended.

    Raises:
        UserError: Processes cannot be started.
    """
    waiting = iter(enumerate(paths))
    team = [_Worker() for _ in range(max(1, min(workers, len(paths))))]
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
                    worker = _Worker()
                    team.append(worker)
                if worker.idle and not worker.give(next(waiting, None)):
                    team.remove(worker)
                    worker.close()
    finally:
        for worker in team:
            worker.close()


class _Worker:
    """One process and what it is working on."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.task: int | None = None
        self.idle = self.ended = False
        self.since = time.monotonic()

    def give(self, task: tuple[int, Path] | None) -> bool:
        """Hand over the next video; False if there is none left."""
        if task is None:
            return False
        self.task, self.idle, self.since = task[0], False, time.monotonic()
        self.pipe.send(str(task[1]))
        return True

    def result(self, ready: bool, limit: float) -> tuple[int, Facts] | None:
        """What the process has found out; a fault if it ended or takes too long."""
        if ready:
            return self._received()
        seconds = time.monotonic() - self.since
        if self.task is None and not self.idle and seconds > START:
            raise UserError("Processes that examine videos do not start on this machine.")
        if self.task is None or seconds <= limit:
            return None
        self.ended = True
        return self.task, Facts(kind="slow", reason=f"not decoded within {limit:g} s")

    def _received(self) -> tuple[int, Facts] | None:
        try:
            facts = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join(5)
            if self.task is None:
                raise UserError("A process that examines videos ended as it started.") from None
            self.ended = True
            code = self.process.exitcode
            return self.task, Facts(kind="crash", reason=f"the decoder crashed (exit code {code})")
        task, self.task, self.idle = self.task, None, True
        return None if facts is None or task is None else (task, facts)

    def close(self) -> None:
        """End the process."""
        self.pipe.close()
        self.process.kill()
        self.process.join()


def _serve(pipe: "Connection[Facts | None, str]") -> None:
    # Ends by itself when nobody is left at the other end.
    try:
        pipe.send(None)
        while True:
            pipe.send(_examined(Path(pipe.recv())))
    except (EOFError, OSError, KeyboardInterrupt):
        return


def _examined(path: Path) -> Facts:
    # Whatever a damaged file makes a decoder raise is a fact about the file.
    try:
        return examine(path)
    except Exception as error:
        return Facts(kind="unreadable", reason=f"{type(error).__name__}: {error}")
