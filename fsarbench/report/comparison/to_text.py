"""The comparison for the terminal and as Markdown."""

from collections.abc import Callable, Sequence

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from fsarbench.catalogue.published_results import PublishedResult
from fsarbench.report.comparison.columns import Column, columns
from fsarbench.report.comparison.footnotes import remarks
from fsarbench.report.comparison.layout import Entry, Sheet, sheets
from fsarbench.report.comparison.published import conditions
from fsarbench.report.comparison.table import Comparison
from fsarbench.report.published import yes_no
from fsarbench.report.table_layouts import markdown_table, markdown_text
from fsarbench.report.wide_table import CutTable, Heading

PUBLISHED = (
    "Published results, not measured here: other code, often other clips, episodes and selection"
)
HEADERS = (
    *("method", "data set", "task", "accuracy (%)", "rerun (%)", "selection"),
    *("text at test", "transductive", "conditions", "source"),
)
NUMBERS = ("accuracy (%)", "rerun (%)")


def terminal(comparison: Comparison) -> Group:
    """Tables with remarks below them, for rich."""
    parts: list[CutTable | Table] = [
        _cut(sheet, columns(comparison, sheet.several)) for sheet in sheets(comparison.sections)
    ]
    if comparison.published:
        parts.append(_published(comparison.published))
    return Group(*parts, *(escape(remark) for remark in remarks(comparison)))


def markdown(comparison: Comparison) -> str:
    """Tables with remarks below them, as Markdown."""
    blocks = []
    for sheet in sheets(comparison.sections):
        chosen = columns(comparison, sheet.several)
        rows = [
            [_marked(c, entry, _bold, markdown_text) for c in chosen] for entry in sheet.entries
        ]
        aligned = ["---:" if column.number else "---" for column in chosen]
        headers = [column.header for column in chosen]
        blocks.append(f"**{sheet.title}**\n\n{markdown_table(headers, aligned, rows)}")
    if comparison.published:
        rows = [[markdown_text(cell) for cell in cells(entry)] for entry in comparison.published]
        aligned = ["---:" if header in NUMBERS else "---" for header in HEADERS]
        blocks.append(f"**{PUBLISHED}**\n\n{markdown_table(HEADERS, aligned, rows)}")
    blocks.append("\n".join(f"- {markdown_text(remark)}" for remark in remarks(comparison)))
    return "\n\n".join(blocks) + "\n"


def cells(result: PublishedResult) -> tuple[str, ...]:
    """A published result, cell by cell."""
    rerun = "" if result.rerun is None else f"{result.rerun:.1f}"
    return (
        *(result.method, result.dataset, result.task, f"{result.accuracy:.1f}", rerun),
        *(result.selection, result.text_at_test, yes_no(result.transductive)),
        *(conditions(result), result.source),
    )


def _cut(sheet: Sheet, chosen: Sequence[Column]) -> CutTable:
    rows = [
        [_marked(column, entry, lambda text: f"[bold]{text}[/bold]", escape) for column in chosen]
        for entry in sheet.entries
    ]
    return CutTable([Heading(c.header, c.number) for c in chosen], rows, sheet.title)


def _published(entries: Sequence[PublishedResult]) -> Table:
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


def _bold(text: str) -> str:
    return f"**{text}**"
