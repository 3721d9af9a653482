"""The comparison as LaTeX: one table with booktabs, ready for a paper."""

from collections.abc import Iterator, Sequence

from fsarbench.report.comparison.columns import Column, columns
from fsarbench.report.comparison.footnotes import remarks
from fsarbench.report.comparison.layout import Entry, Sheet, sheets
from fsarbench.report.comparison.table import Comparison, Setting
from fsarbench.report.comparison.to_text import HEADERS, NUMBERS, PUBLISHED, cells
from fsarbench.report.table_layouts import latex_fitted, latex_tabular, latex_text


def latex(comparison: Comparison) -> str:
    r"""A table environment; the document needs `\usepackage{booktabs,graphicx}`."""
    lines = [
        r"% \usepackage{booktabs,graphicx}",
        r"\begin{table*}[t]",
        r"\centering\small\setlength{\tabcolsep}{4pt}",
        *_measured(comparison),
        *(_published(comparison) if comparison.published else ()),
        r"\par\smallskip",
        r"\begin{minipage}{\linewidth}\footnotesize",
        *(f"{latex_text(remark)}\\par" for remark in remarks(comparison)),
        r"\end{minipage}",
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"


def _measured(comparison: Comparison) -> Iterator[str]:
    # Tables of the same columns are one tabular, so that these stand below each other.
    alike: dict[tuple[Setting, ...], list[Sheet]] = {}
    for sheet in sheets(comparison.sections):
        alike.setdefault(sheet.several, []).append(sheet)
    for number, (settings, group) in enumerate(alike.items()):
        if number:
            yield r"\par\medskip"
        yield from latex_fitted(_tabular(group, columns(comparison, settings), len(alike) > 1))


def _tabular(group: Sequence[Sheet], chosen: Sequence[Column], titled: bool) -> Iterator[str]:
    rows = [
        (
            sheet.title if titled or len(group) > 1 else "",
            [[_cell(column, entry) for column in chosen] for entry in sheet.entries],
        )
        for sheet in group
    ]
    aligned = "".join("r" if column.number else "l" for column in chosen)
    return latex_tabular(aligned, [column.header for column in chosen], rows)


def _published(comparison: Comparison) -> Iterator[str]:
    yield rf"\par\medskip {latex_text(PUBLISHED)}\par\smallskip"
    rows = [[latex_text(cell) for cell in cells(entry)] for entry in comparison.published]
    aligned = "".join("r" if header in NUMBERS else "l" for header in HEADERS)
    yield from latex_fitted(latex_tabular(aligned, HEADERS, [("", rows)]))


def _cell(column: Column, entry: Entry) -> str:
    line = entry.line(column)
    if line is None:
        return ""
    text = latex_text(column.text(line))
    if column.main and line.best:
        return rf"\textbf{{{text}}}"
    if column.number and text.startswith("-"):
        text = f"$-${text[1:]}"  # a minus and not a hyphen
    return f"$=$ {text}" if column.main and column.number and line.level else text
