"""The comparison for the terminal and as Markdown."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, Group
from rich.markup import escape
from rich.table import Table

from fsarbench.report.compare_cells import Column, columns
from fsarbench.report.compare_notes import remarks
from fsarbench.report.compare_published import Published
from fsarbench.report.compare_sheets import Entry, Sheet, sheets
from fsarbench.report.compare_table import Comparison

PUBLISHED = "Published, not measured here: other code, often other clips, episodes and selection"
LONG = 24
HEADERS = ("method", "data set", "task", "accuracy (%)", "under", "source")


def terminal(comparison: Comparison) -> Group:
    """Tables with remarks below them, for rich."""
    parts: list[_Sheet | Table] = [
        _Sheet(sheet, columns(comparison, sheet.several)) for sheet in sheets(comparison.sections)
    ]
    if comparison.published:
        parts.append(_published(comparison.published))
    return Group(*parts, *(escape(remark) for remark in remarks(comparison)))


def markdown(comparison: Comparison) -> str:
    """Tables with remarks below them, as Markdown."""
    blocks = []
    for sheet in sheets(comparison.sections):
        chosen = columns(comparison, sheet.several)
        rows = [[_marked(c, entry, _bold, _piped) for c in chosen] for entry in sheet.entries]
        aligned = ["---:" if column.number else "---" for column in chosen]
        headers = [column.header for column in chosen]
        blocks.append(f"**{sheet.title}**\n\n{_grid(headers, aligned, rows)}")
    if comparison.published:
        rows = [[_piped(cell) for cell in cells(entry)] for entry in comparison.published]
        blocks.append(f"**{PUBLISHED}**\n\n{_grid(HEADERS, ['---'] * len(HEADERS), rows)}")
    blocks.append("\n".join(f"- {_piped(remark)}" for remark in remarks(comparison)))
    return "\n\n".join(blocks) + "\n"


def cells(entry: Published) -> tuple[str, ...]:
    """A published result, cell by cell."""
    said = (entry.method, entry.dataset, entry.task, f"{entry.accuracy:.1f}")
    return (*said, entry.conditions, entry.source)


@dataclass(frozen=True)
class _Sheet:
    """A table that is cut into several, the names in each, where the terminal is too narrow."""

    sheet: Sheet
    chosen: Sequence[Column]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        name, *others = self.chosen
        title, part = self.sheet.title, [name]
        for column in others:
            if len(part) > 1 and self._width([*part, column]) > options.max_width:
                yield _table(title, self.sheet, part)
                title, part = "", [name]
            part.append(column)
        yield _table(title, self.sheet, part)

    def _width(self, part: Sequence[Column]) -> int:
        return sum(2 + _longest(self.sheet, column) for column in part)


def _longest(sheet: Sheet, column: Column) -> int:
    cells = (_marked(column, entry, str, str) for entry in sheet.entries)
    longest = max(map(len, (column.header, *cells)))
    # What is tuned may be a list of parts, which can be broken.
    return longest if column.number else min(longest, LONG)


def _table(title: str, sheet: Sheet, chosen: Sequence[Column]) -> Table:
    # No lines between columns: most tables then fit a terminal.
    table = Table(title=title or None, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in chosen:
        justify = "right" if column.number else "left"
        table.add_column(column.header, justify=justify, overflow="fold", no_wrap=column.number)  # type: ignore[arg-type]
    for entry in sheet.entries:
        table.add_row(*(_marked(c, entry, lambda t: f"[bold]{t}[/bold]", escape) for c in chosen))
    return table


def _published(entries: Sequence[Published]) -> Table:
    table = Table(*HEADERS, title=PUBLISHED, title_justify="left")
    for entry in entries:
        table.add_row(*(escape(cell) for cell in cells(entry)))
    return table


def _marked(
    column: Column, entry: Entry, bold: Callable[[str], str], safe: Callable[[str], str]
) -> str:
    line = entry.line(column)
    if line is None:
        return ""
    text = safe(column.text(line))
    if column.main and line.best:
        return bold(text)
    return f"= {text}" if column.main and column.number and line.level else text


def _grid(headers: Sequence[str], aligned: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (headers, aligned, *rows))


def _bold(text: str) -> str:
    return f"**{text}**"


def _piped(text: str) -> str:
    # A bar would end the cell; brackets of notes would make links, stars emphasis.
    return "".join(f"\\{letter}" if letter in "|[]*_<" else letter for letter in text)
