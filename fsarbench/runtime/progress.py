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
# Minimum terminal width for a long bar next to the longest note.
WIDE = 100

_SILENT: ContextVar[bool] = ContextVar("silent", default=False)


@contextmanager
def silence(on: bool = True) -> Iterator[None]:
    """Hide all progress bars that are created inside the `with` block.

    Args:
        on: Whether to hide them; False changes nothing.
    """
    token = _SILENT.set(_SILENT.get() or on)
    try:
        yield
    finally:
        _SILENT.reset(token)


class ProgressBars:
    """Progress bars of one run, which may be nested.

    Args:
        console: Console to write to; None for standard error, so that output can be piped.
        quiet: Whether to show nothing.

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
        """Print a permanent line above the bars."""
        if not self.quiet:
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def task(self, title: str, total: int, step: int | None = None) -> Iterator["ProgressBar"]:
        """Show a bar during a `with` block.

        Args:
            title: Description of the work.
            total: Number of units of work.
            step: Without a terminal, number of units between two lines; None for a line every 10
                seconds.
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
    """Counter of finished units of work, without display."""

    def __init__(self, title: str, total: int) -> None:
        self.title = title
        self.total = total
        self.done = 0
        self.skipped = 0
        self.note = ""

    def advance(self, units: int = 1, note: str | None = None) -> None:
        """Add finished units and, optionally, a new note such as the current loss."""
        self.done += units
        self.note = self.note if note is None else note
        self._draw(units)

    def skip(self, units: int) -> None:
        """Add units that an earlier run finished; they do not count for the rate."""
        self.done += units
        self.skipped += units

    def close(self) -> None:
        """End the display."""

    def _draw(self, units: int) -> None:
        """Update the display."""


class RichBar(ProgressBar):
    """Progress bar on a terminal; it disappears at the end."""

    def __init__(self, title: str, total: int, progress: Progress) -> None:
        super().__init__(title, total)
        self._progress = progress
        self._task = progress.add_task(title, total=total, note="")

    def skip(self, units: int) -> None:
        """Move the bar to where an earlier run stopped."""
        super().skip(units)
        self._progress.reset(self._task, completed=self.done)

    def close(self) -> None:
        """Remove the bar from the terminal."""
        self._progress.remove_task(self._task)

    def _draw(self, units: int) -> None:
        self._progress.update(self._task, advance=units, note=self.note)


class LineBar(ProgressBar):
    """Progress as plain lines, for logs and pipes."""

    def __init__(self, title: str, total: int, bars: ProgressBars, step: int | None) -> None:
        super().__init__(title, total)
        self._bars = bars
        self._step = step
        self._start = self._last = time.monotonic()
        self._shown = 0

    def skip(self, units: int) -> None:
        """Start to count where an earlier run stopped."""
        super().skip(units)
        self._shown = self.done

    def close(self) -> None:
        """Print a last line, unless the work ended before the first line."""
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
    # On a narrow terminal, the bar is shortened first, then the note is wrapped; title and counts
    # are never wrapped.
    def no_wrap() -> Column:
        return Column(no_wrap=True)

    return (
        TextColumn("{task.description}", markup=False, table_column=no_wrap()),
        BarColumn(bar_width=24 if width >= WIDE else 8),
        MofNCompleteColumn(table_column=no_wrap()),
        _Rate(table_column=no_wrap()),
        TimeRemainingColumn(table_column=no_wrap()),
        TextColumn("{task.fields[note]}", markup=False, table_column=Column()),
    )


# Width in a pipe, larger than any line, so that each table row is one line.
PIPE_WIDTH = 1000


def make_console() -> Console:
    """Console with the width of the terminal or `COLUMNS`; in a pipe, lines are not wrapped.

    There are no colours in a pipe, or if `NO_COLOR` is set.
    """
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(width=width, highlight=False)
