"""Output on the terminal: progress of long work, and the console that tables are printed on."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

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
from rich.table import Column
from rich.text import Text

SECONDS_BETWEEN_LINES = 10.0
# Columns of a terminal with room for a long bar beside the longest note.
WIDE = 100

_SILENT: ContextVar[bool] = ContextVar("silent", default=False)


@contextmanager
def silence(on: bool = True) -> Iterator[None]:
    """Bars made inside the `with` block show nothing, however deep below they are made.

    Args:
        on: Whether to silence; False changes nothing.
    """
    token = _SILENT.set(_SILENT.get() or on)
    try:
        yield
    finally:
        _SILENT.reset(token)


class ProgressBars:
    """All bars of one run; they share the terminal, so that one may run inside another.

    Args:
        console: Where to write; None for standard error, so that output can be piped.
        quiet: Show nothing.

    Example:
        >>> with ProgressBars(quiet=True).task("encode", 2) as bar:
        ...     bar.advance(2)
        >>> bar.done
        2
    """

    def __init__(self, console: Console | None = None, quiet: bool = False) -> None:
        self.console = console or Console(stderr=True)
        self.quiet = quiet or _SILENT.get()
        self._open = 0
        self._progress: Progress | None = None

    def say(self, line: str) -> None:
        """A line that stays, above the bars if there are some."""
        if not self.quiet:
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def task(self, title: str, total: int, step: int | None = None) -> Iterator["ProgressBar"]:
        """A bar for the length of a `with` block.

        Args:
            title: What is being done.
            total: Units of work.
            step: Without a terminal, a line every so many units; None for one in 10 seconds.
        """
        bar = self._bar(title, total, step)
        self._open += 1
        try:
            yield bar
        finally:
            self._open -= 1
            bar.close()
            if self._open == 0 and self._progress is not None:
                self._progress.stop()
                self._progress = None

    def _bar(self, title: str, total: int, step: int | None) -> "ProgressBar":
        if self.quiet:
            return ProgressBar(title, total)
        if not self.console.is_terminal:
            return LineBar(title, total, self, step)
        if self._progress is None:
            self._progress = Progress(*_columns(self.console.width), console=self.console)
            self._progress.start()
        return RichBar(title, total, self._progress)


class ProgressBar:
    """Counts work; this one shows nothing."""

    def __init__(self, title: str, total: int) -> None:
        self.title = title
        self.total = total
        self.done = 0
        self.skipped = 0
        self.note = ""

    def advance(self, units: int = 1, note: str | None = None) -> None:
        """Some units are done; `note` says how it goes."""
        self.done += units
        self.note = self.note if note is None else note
        self._draw(units)

    def skip(self, units: int) -> None:
        """Some units were done before the bar was put up; they say nothing of the rate."""
        self.done += units
        self.skipped += units

    def close(self) -> None:
        """No more work comes."""

    def _draw(self, units: int) -> None:
        """Shows what changed."""


class RichBar(ProgressBar):
    """A bar of a terminal; it disappears when its work is done."""

    def __init__(self, title: str, total: int, progress: Progress) -> None:
        super().__init__(title, total)
        self._progress = progress
        self._task = progress.add_task(title, total=total, note="")

    def skip(self, units: int) -> None:
        """Puts the bar where an earlier run stopped."""
        super().skip(units)
        self._progress.reset(self._task, completed=self.done)

    def close(self) -> None:
        """Takes the bar off the screen."""
        self._progress.remove_task(self._task)

    def _draw(self, units: int) -> None:
        self._progress.update(self._task, advance=units, note=self.note)


class LineBar(ProgressBar):
    """Plain lines, for logs and pipes."""

    def __init__(self, title: str, total: int, bars: ProgressBars, step: int | None) -> None:
        super().__init__(title, total)
        self._bars = bars
        self._step = step
        self._start = self._last = time.monotonic()
        self._shown = 0

    def skip(self, units: int) -> None:
        """Counts from where an earlier run stopped."""
        super().skip(units)
        self._shown = self.done

    def close(self) -> None:
        """Writes a last line, unless the work was over before its first."""
        if self.skipped < self._shown < self.done:
            self._print()

    def _draw(self, units: int) -> None:
        if self._step is not None:
            due = self.done // self._step > self._shown // self._step
        else:
            due = time.monotonic() - self._last >= SECONDS_BETWEEN_LINES
        if due:
            self._print()

    def _print(self) -> None:
        self._last, self._shown = time.monotonic(), self.done
        rate = (self.done - self.skipped) / max(self._last - self._start, 1e-9)
        left = timedelta(seconds=round((self.total - self.done) / rate))
        line = f"{self.title} {self.done}/{self.total}  {rate:.1f}/s  {left} left  {self.note}"
        self._bars.say(line.rstrip())


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        rate = task.finished_speed or task.speed
        return Text("" if rate is None else f"{rate:.1f}/s")


def _columns(width: int) -> tuple[ProgressColumn, ...]:
    # What names and counts keeps its place: on a narrow terminal first the bar gives way, then the
    # note is broken into lines.
    def firm() -> Column:
        return Column(no_wrap=True)

    return (
        TextColumn("{task.description}", markup=False, table_column=firm()),
        BarColumn(bar_width=24 if width >= WIDE else 8),
        MofNCompleteColumn(table_column=firm()),
        _Rate(table_column=firm()),
        TimeRemainingColumn(table_column=firm()),
        TextColumn("{task.fields[note]}", markup=False, table_column=Column()),
    )


# Wider than any line: what is piped into another program is one line a row.
UNBROKEN = 1000


def make_console() -> Console:
    """Standard output: as wide as the terminal or `COLUMNS`, and unbroken lines in a pipe.

    Colours are rich's: none in a pipe or where `NO_COLOR` is set.
    """
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else UNBROKEN
    return Console(width=width, highlight=False)
