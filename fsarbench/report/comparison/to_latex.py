"""Comparison as a LaTeX table with booktabs."""

from collections.abc import Iterable, Iterator, Sequence

from fsarbench.report.comparison.columns import Column, columns
from fsarbench.report.comparison.footnotes import remarks
from fsarbench.report.comparison.layout import Entry, Sheet, sheets
from fsarbench.report.comparison.table import Comparison, Setting
from fsarbench.report.comparison.to_text import HEADERS, PUBLISHED, cells

SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "±": r"$\pm$",
    "|": r"$|$",
    "[": "{[}",  # a bracket after a line break would be its optional argument
    "]": "{]}",
}


def latex(comparison: Comparison) -> str:
    r"""Return a table environment; the document needs `\usepackage{booktabs,graphicx}`."""
    lines = [
        r"% \usepackage{booktabs,graphicx}",
        r"\begin{table*}[t]",
        r"\centering\small\setlength{\tabcolsep}{4pt}",
        *_measured(comparison),
        *(_published(comparison) if comparison.published else ()),
        r"\par\smallskip",
        r"\begin{minipage}{\linewidth}\footnotesize",
        *(f"{safe(remark)}\\par" for remark in remarks(comparison)),
        r"\end{minipage}",
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"


def safe(text: str) -> str:
    r"""Escape text for LaTeX.

    Example:
        >>> print(safe("50 % of a_b"))
        50 \% of a\_b
    """
    # An empty line would end the paragraph, and with it the table.
    return "".join(SPECIAL.get(letter, letter) for letter in " ".join(text.splitlines()))


def _fitted(tabular: Iterable[str]) -> Iterator[str]:
    # Scaled down only if wider than the page.
    yield r"\sbox0{%"
    yield from tabular
    yield r"}\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi"


def _measured(comparison: Comparison) -> Iterator[str]:
    # Tables with the same columns share one tabular, so that their columns are aligned.
    groups: dict[tuple[Setting, ...], list[Sheet]] = {}
    for sheet in sheets(comparison.sections):
        groups.setdefault(sheet.several, []).append(sheet)
    for number, (settings, group) in enumerate(groups.items()):
        if number:
            yield r"\par\medskip"
        yield from _fitted(_tabular(group, columns(comparison, settings), len(groups) > 1))


def _tabular(group: Sequence[Sheet], selected: Sequence[Column], titled: bool) -> Iterator[str]:
    alignment = "".join("r" if column.number else "l" for column in selected)
    yield rf"\begin{{tabular}}{{@{{}}{alignment}@{{}}}}"
    yield r"\toprule"
    yield _row([safe(column.header) for column in selected])
    for sheet in group:
        yield r"\midrule"
        if titled or len(group) > 1:
            title = rf"\emph{{{safe(sheet.title)}}}"
            yield _row([rf"\multicolumn{{{len(selected)}}}{{@{{}}l}}{{{title}}}"])
        for entry in sheet.entries:
            yield _row([_cell(column, entry) for column in selected])
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _published(comparison: Comparison) -> Iterator[str]:
    yield rf"\par\medskip {safe(PUBLISHED)}\par\smallskip"
    rows = [_row([safe(cell) for cell in cells(entry)]) for entry in comparison.published]
    yield from _fitted(
        [
            r"\begin{tabular}{@{}lllrll@{}}",
            r"\toprule",
            _row([safe(header) for header in HEADERS]),
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def _cell(column: Column, entry: Entry) -> str:
    line = entry.line(column)
    if line is None:
        return ""
    text = safe(column.text(line))
    if column.main and line.best:
        return rf"\textbf{{{text}}}"
    if column.number and text.startswith("-"):
        text = f"$-${text[1:]}"  # a minus and not a hyphen
    return f"$=$ {text}" if column.main and column.number and line.level else text


def _row(cells: Sequence[str]) -> str:
    return f"{' & '.join(cells)} \\\\"
