"""The tables of the page as plain text; the template escapes it."""

from collections.abc import Sequence
from dataclasses import dataclass

from fsarbench.report.comparison.columns import Column, columns
from fsarbench.report.comparison.rows import Row
from fsarbench.report.comparison.table import Comparison, Line, Section
from fsarbench.report.html.confusion import Confusion, mistaken
from fsarbench.report.html.episode_selection import Chosen


@dataclass(frozen=True)
class Head:
    """The heading of a column."""

    text: str
    number: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell; `bold` stands out."""

    text: str
    bold: bool = False


@dataclass(frozen=True)
class Grid:
    """A table."""

    heads: Sequence[Head]
    rows: Sequence[Sequence[Cell]]


def comparison_grid(comparison: Comparison, section: Section) -> Grid:
    """The rows of one setting in the columns of the whole comparison."""
    chosen = columns(comparison)
    heads = [Head(column.header, column.number) for column in chosen]
    return Grid(heads, [[_cell(column, line) for column in chosen] for line in section.lines])


def mistaken_grid(found: Confusion) -> Grid:
    """The pairs of classes that are most often confused."""
    heads = [
        Head("true class"),
        Head("answered"),
        Head("share (%)", True),
        Head("queries", True),
        Head("of", True),
    ]
    rows = [
        [m.true, m.said, f"{100 * m.rate:.1f}", f"{m.count:,}", f"{m.met:,}"]
        for m in mistaken(found)
    ]
    return Grid(heads, [[Cell(text) for text in row] for row in rows])


def chosen_grid(rows: Sequence[Row], chosen: Sequence[Chosen]) -> Grid:
    """The episodes that are worth a look, with the accuracy of every method in them."""
    heads = [Head("why"), Head("episode", True), *(Head(row.name, True) for row in rows)]
    lines = [
        [Cell(c.why), Cell(str(c.number)), *(Cell(f"{100 * a:.0f}") for a in c.accuracies)]
        for c in chosen
    ]
    return Grid(heads, lines)


def _cell(column: Column, line: Line) -> Cell:
    text = column.text(line)
    if column.main and column.number and line.level:
        text = f"= {text}"
    return Cell(text, bold=column.main and line.best)
