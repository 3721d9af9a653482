"""Table that is split into several tables with repeated row names on a narrow terminal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions
from rich.table import Table
from rich.text import Text

# Columns of text may be wrapped at this width; columns of numbers are never wrapped.
WRAP_WIDTH = 24


@dataclass(frozen=True)
class Heading:
    """Column heading.

    Attributes:
        text: Text of the heading.
        number: Whether the column has numbers, which are right-aligned and not wrapped.
    """

    text: str
    number: bool = True


@dataclass(frozen=True)
class CutTable:
    """Renderable table of rich, whose first column has the names of the rows.

    Attributes:
        headings: One heading per column.
        rows: Cells of each row in rich's markup, one per column.
        title: Title above the first table; may be empty.
    """

    headings: Sequence[Heading]
    rows: Sequence[Sequence[str]]
    title: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        """Yield one or more tables that fit the width of the terminal."""
        title, columns = self.title, [0]
        for column in range(1, len(self.headings)):
            if len(columns) > 1 and self._width([*columns, column]) > options.max_width:
                yield self._table(title, columns)
                title, columns = "", [0]
            columns.append(column)
        yield self._table(title, columns)

    def _width(self, columns: Sequence[int]) -> int:
        return sum(2 + self._column_width(column) for column in columns)

    def _column_width(self, column: int) -> int:
        heading = self.headings[column]
        cells = [Text.from_markup(row[column]) for row in self.rows]
        longest = max(len(heading.text), *(cell.cell_len for cell in cells))
        if heading.number:
            return longest
        words = (word.cell_len for cell in cells for word in cell.split())
        return min(longest, max(WRAP_WIDTH, *words, 0))

    def _table(self, title: str, columns: Sequence[int]) -> Table:
        # Without vertical lines, most tables fit a terminal.
        table = Table(
            title=title or None, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
        )
        for heading in (self.headings[column] for column in columns):
            table.add_column(
                heading.text,
                justify="right" if heading.number else "left",
                overflow="fold",
                no_wrap=heading.number,
            )
        for row in self.rows:
            table.add_row(*(row[column] for column in columns))
        return table
