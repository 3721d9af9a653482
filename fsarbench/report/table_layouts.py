"""Writers for tables: terminal, Markdown, LaTeX and CSV."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions
from rich.table import Table
from rich.text import Text

from fsarbench.errors import UserError

SUFFIXES = {".md": "markdown", ".tex": "latex", ".csv": "csv", ".json": "json"}
LAYOUTS = tuple(SUFFIXES.values())

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
    "[": "{[}",  # a bracket after the end of a row would be read as an optional argument
    "]": "{]}",
}

# Spreadsheet programs read a cell that starts with one of these as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def layout_of(layout: str | None, out: str | None) -> str | None:
    """Layout from the option or the suffix of the output file; None for the terminal.

    Raises:
        UserError: The layout or the suffix is unknown.
    """
    if layout is not None:
        if layout not in LAYOUTS:
            raise UserError(f"--format {layout}: expected one of {', '.join(LAYOUTS)}.")
        return layout
    if out is None:
        return None
    suffix = Path(out).suffix
    if suffix not in SUFFIXES:
        raise UserError(f"-o {out}: expected a suffix of {', '.join(SUFFIXES)}, or add --format.")
    return SUFFIXES[suffix]


def latex_text(text: str) -> str:
    r"""Escape a text for LaTeX.

    Example:
        >>> print(latex_text("50 % of a_b"))
        50 \% of a\_b
    """
    # An empty line would end the paragraph and break the table.
    return "".join(SPECIAL.get(letter, letter) for letter in " ".join(text.splitlines()))


def latex_row(cells: Sequence[str]) -> str:
    """Row of a LaTeX table from escaped cells."""
    return f"{' & '.join(cells)} \\\\"


def latex_tabular(
    aligned: str, headers: Sequence[str], groups: Iterable[tuple[str, Sequence[Sequence[str]]]]
) -> Iterator[str]:
    """Yield the lines of a tabular with booktabs.

    Args:
        aligned: `l` or `r` for each column.
        headers: Column headings as plain text.
        groups: Title and rows of LaTeX cells of each group; an empty title is left out.
    """
    yield rf"\begin{{tabular}}{{@{{}}{aligned}@{{}}}}"
    yield r"\toprule"
    yield latex_row([latex_text(header) for header in headers])
    for title, rows in groups:
        yield r"\midrule"
        if title:
            emphasised = rf"\emph{{{latex_text(title)}}}"
            yield latex_row([rf"\multicolumn{{{len(headers)}}}{{@{{}}l}}{{{emphasised}}}"])
        yield from map(latex_row, rows)
    yield r"\bottomrule"
    yield r"\end{tabular}"


def latex_fitted(tabular: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a tabular that is scaled down if it is wider than the page."""
    yield r"\sbox0{%"
    yield from tabular
    yield r"}\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi"


def latex_environment(tables: Iterable[str], notes: Iterable[str]) -> str:
    r"""LaTeX table environment; the document needs `\usepackage{booktabs,graphicx}`.

    Args:
        tables: Lines of one or several tabulars.
        notes: Plain texts below the tables, one per paragraph.
    """
    lines = [
        r"% \usepackage{booktabs,graphicx}",
        r"\begin{table*}[t]",
        r"\centering\small\setlength{\tabcolsep}{4pt}",
        *tables,
        r"\par\smallskip",
        r"\begin{minipage}{\linewidth}\footnotesize",
        *(f"{latex_text(note)}\\par" for note in notes),
        r"\end{minipage}",
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"


def csv_table(records: Sequence[Mapping[str, Any]]) -> str:
    """CSV table with one line per record; the columns are all keys in order of appearance."""
    columns = list(dict.fromkeys(key for record in records for key in record))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: csv_cell(value) for key, value in row.items()} for row in records)
    return out.getvalue()


def csv_cell(value: Any) -> Any:
    """Cell that spreadsheet programs do not read as a formula; numbers are unchanged."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


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
    """Table that is split into several, with repeated row names, on a narrow terminal.

    Attributes:
        headings: One heading per column; the first column has the names of the rows.
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
