"""How far a long work is: a bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

# Seconds between two plain lines.
PAUSE = 10.0


@contextmanager
def counting(
    title: str, total: int, shown: bool = True, console: Console | None = None
) -> Iterator[Callable[[], None]]:
    """Give a function to be called once for every finished piece.

    Example:
        >>> with counting("drawing", 2, shown=False) as advance:
        ...     advance()
    """
    console = console or Console(stderr=True)
    if not shown:
        yield lambda: None
    elif console.is_terminal:
        columns = (BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
        with Progress(TextColumn("{task.description}"), *columns, console=console) as bar:
            task = bar.add_task(title, total=total)
            yield lambda: bar.advance(task)
    else:
        yield _Lines(title, total, console).advance


class _Rate(ProgressColumn):
    """Pieces a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f}/s" if task.speed else "")


class _Lines:
    """One line at the start, every few seconds, and at the end."""

    def __init__(self, title: str, total: int, console: Console) -> None:
        self._title, self._total, self._console = title, total, console
        self._done, self._start = 0, time.monotonic()
        self._last = self._start
        self._say(f"{title}: {total} to do")

    def advance(self) -> None:
        self._done += 1
        now = time.monotonic()
        if now - self._last < PAUSE and self._done < self._total:
            return
        self._last = now
        rate = self._done / max(now - self._start, 1e-9)
        left = (self._total - self._done) / rate
        self._say(f"{self._title}: {self._done} of {self._total}, {rate:.0f}/s, {left:.0f} s left")

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True)
