"""A table that is cut into several, the names in each, where the terminal is too narrow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions
from rich.table import Table
from rich.text import Text

# The widest that a column of words need be: they can be broken, numbers cannot.
LONG = 24


@dataclass(frozen=True)
class Heading:
    """The top of a column.

    Attributes:
        text: What it says.
        number: Whether numbers stand below it, which are never broken.
    """

    text: str
    number: bool = True


@dataclass(frozen=True)
class CutTable:
    """A table for rich; its first column holds the names of the rows.

    Attributes:
        headings: One a column.
        rows: Cells in rich's markup, one a heading.
        title: Above the first of the tables; empty for none.
    """

    headings: Sequence[Heading]
    rows: Sequence[Sequence[str]]
    title: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        """As many tables as the width asks for."""
        title, part = self.title, [0]
        for column in range(1, len(self.headings)):
            if len(part) > 1 and self._width([*part, column]) > options.max_width:
                yield self._table(title, part)
                title, part = "", [0]
            part.append(column)
        yield self._table(title, part)

    def _width(self, part: Sequence[int]) -> int:
        return sum(2 + self._longest(column) for column in part)

    def _longest(self, column: int) -> int:
        heading = self.headings[column]
        cells = [Text.from_markup(row[column]) for row in self.rows]
        longest = max(len(heading.text), *(cell.cell_len for cell in cells))
        if heading.number:
            return longest
        words = (word.cell_len for cell in cells for word in cell.split())
        return min(longest, max(LONG, *words, 0))

    def _table(self, title: str, part: Sequence[int]) -> Table:
        # No lines between columns: most tables then fit a terminal.
        table = Table(
            title=title or None, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
        )
        for heading in (self.headings[column] for column in part):
            table.add_column(
                heading.text,
                justify="right" if heading.number else "left",
                overflow="fold",
                no_wrap=heading.number,
            )
        for row in self.rows:
            table.add_row(*(row[column] for column in part))
        return table
