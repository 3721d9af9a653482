"""Comparison as terminal output and as Markdown."""

from collections.abc import Callable, Sequence

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from fsarbench.report.comparison.columns import Column, columns
from fsarbench.report.comparison.footnotes import remarks
from fsarbench.report.comparison.layout import Entry, Sheet, sheets
from fsarbench.report.comparison.published import Published
from fsarbench.report.comparison.table import Comparison
from fsarbench.report.wide_table import CutTable, Heading

PUBLISHED = (
    "Published results, not measured here: other code, often other clips, episodes and selection"
)
HEADERS = ("method", "data set", "task", "accuracy (%)", "conditions", "source")


def terminal(comparison: Comparison) -> Group:
    """Return tables with notes below them, for rich."""
    tables: list[CutTable | Table] = [
        _cut(sheet, columns(comparison, sheet.several)) for sheet in sheets(comparison.sections)
    ]
    if comparison.published:
        tables.append(_published(comparison.published))
    return Group(*tables, *(escape(remark) for remark in remarks(comparison)))


def markdown(comparison: Comparison) -> str:
    """Return tables with notes below them, as Markdown."""
    blocks = []
    for sheet in sheets(comparison.sections):
        selected = columns(comparison, sheet.several)
        rows = [[_marked(c, entry, _bold, _piped) for c in selected] for entry in sheet.entries]
        alignment = ["---:" if column.number else "---" for column in selected]
        headers = [column.header for column in selected]
        blocks.append(f"**{sheet.title}**\n\n{_grid(headers, alignment, rows)}")
    if comparison.published:
        rows = [[_piped(cell) for cell in cells(entry)] for entry in comparison.published]
        blocks.append(f"**{PUBLISHED}**\n\n{_grid(HEADERS, ['---'] * len(HEADERS), rows)}")
    blocks.append("\n".join(f"- {_piped(remark)}" for remark in remarks(comparison)))
    return "\n\n".join(blocks) + "\n"


def cells(entry: Published) -> tuple[str, ...]:
    """Return the cells of a published result."""
    result = (entry.method, entry.dataset, entry.task, f"{entry.accuracy:.1f}")
    return (*result, entry.conditions, entry.source)


def _cut(sheet: Sheet, selected: Sequence[Column]) -> CutTable:
    rows = [
        [_marked(column, entry, lambda text: f"[bold]{text}[/bold]", escape) for column in selected]
        for entry in sheet.entries
    ]
    return CutTable([Heading(c.header, c.number) for c in selected], rows, sheet.title)


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


def _grid(headers: Sequence[str], alignment: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (headers, alignment, *rows))


def _bold(text: str) -> str:
    return f"**{text}**"


def _piped(text: str) -> str:
    # A bar or a new line would end the cell; brackets of notes would be links, stars emphasis.
    escaped = "".join(f"\\{letter}" if letter in "\\`|[]*_<" else letter for letter in text)
    return " ".join(escaped.splitlines())
