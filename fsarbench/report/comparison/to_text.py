"""Comparison as tables for the terminal, in Markdown and in LaTeX."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from fsarbench.catalogue.published_results import PublishedResult
from fsarbench.report.comparison.columns import Column, columns
from fsarbench.report.comparison.footnotes import remarks
from fsarbench.report.comparison.pairwise import (
    PairCell,
    Pairwise,
    explanation,
    matrix_of,
    numbered,
    pairwise,
)
from fsarbench.report.comparison.published import conditions
from fsarbench.report.comparison.table import Comparison, Line, Section, Setting
from fsarbench.report.published_table import yes_no
from fsarbench.report.table_layouts import (
    CutTable,
    Heading,
    latex_environment,
    latex_fitted,
    latex_tabular,
    latex_text,
)
from fsarbench.runtime.markdown import markdown_table, markdown_text


@dataclass(frozen=True)
class Entry:
    """One row of a sheet.

    Attributes:
        lines: Comparison lines of the same runs, by setting.
    """

    lines: Mapping[Setting, Line]

    @property
    def head(self) -> Line:
        """Line with common values of all settings; `best` and `level` if true in each setting."""
        lines = list(self.lines.values())
        notes = "".join(dict.fromkeys("".join(line.notes for line in lines)))
        best, level = (all(getattr(line, key) for line in lines) for key in ("best", "level"))
        return replace(lines[0], notes=notes, best=best, level=level)

    def line(self, column: Column) -> Line | None:
        """Return the line of a column's setting; None if these runs were not tested in it.

        Example:
            >>> column = Column("5-shot (%)", "accuracy", str, setting=("ssv2", 5, 5))
            >>> Entry({}).line(column) is None
            True
        """
        return self.head if column.setting is None else self.lines.get(column.setting)


@dataclass(frozen=True)
class Sheet:
    """One table of the comparison.

    Attributes:
        sections: Sections shown side by side; several only if they have runs in common.
    """

    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        """Data set and task names."""
        first, *others = self.sections
        return ", ".join([first.title, *(section.task for section in others)])

    @property
    def several(self) -> tuple[Setting, ...]:
        """Settings shown side by side; empty for a single setting."""
        settings = tuple(section.setting for section in self.sections)
        return settings if len(settings) > 1 else ()

    @property
    def entries(self) -> list[Entry]:
        """Rows of the table, in the order of the first occurrence of their names."""
        lines_by_name: dict[str, dict[Setting, Line]] = {}
        for section in self.sections:
            for line in section.lines:
                lines_by_name.setdefault(line.row.name, {})[section.setting] = line
        return [Entry(lines) for lines in lines_by_name.values()]


def sheets(sections: Sequence[Section]) -> list[Sheet]:
    """Group sections of the same runs into one sheet each."""
    grouped: list[Sheet] = []
    for section in sections:
        index = next((i for i, sheet in enumerate(grouped) if _belongs(section, sheet)), None)
        if index is None:
            grouped.append(Sheet((section,)))
        else:
            grouped[index] = Sheet((*grouped[index].sections, section))
    return grouped


def _belongs(section: Section, sheet: Sheet) -> bool:
    # If a name has different runs or seeds in two settings, the settings need separate tables.
    if section.setting[0] != sheet.sections[0].setting[0]:
        return False
    in_sheet = {name: runs for other in sheet.sections for name, runs in _folders(other).items()}
    in_section = _folders(section)
    shared = in_section.keys() & in_sheet.keys()
    return bool(shared) and all(in_section[name] == in_sheet[name] for name in shared)


def _folders(section: Section) -> dict[str, list[str]]:
    return {line.row.name: [str(run.folder) for run in line.row.runs] for line in section.lines}


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
    notes = [escape(remark) for remark in remarks(comparison)]
    pairs = [part for one in pair_tables(comparison) for part in _pairs_terminal(one)]
    return Group(*parts, *notes, *pairs)


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
    blocks += [_pairs_markdown(one) for one in pair_tables(comparison)]
    return "\n\n".join(blocks) + "\n"


@dataclass(frozen=True)
class PairTable:
    """Matrix of the tests of all pairs of one setting.

    Attributes:
        title: Title of the table.
        heads: Column headers: "row", then the numbers of the rows.
        names: Names of the rows, with their numbers.
        matrix: Cells of every row.
        notes: Sentences below the table.
    """

    title: str
    heads: Sequence[str]
    names: Sequence[str]
    matrix: Sequence[Sequence[PairCell]]
    notes: Sequence[str]


def pair_tables(comparison: Comparison) -> Iterator[PairTable]:
    """Matrices of pairwise tests, one per setting; none if the comparison does not show them."""
    if not comparison.pairwise:
        return
    for section in comparison.sections:
        tests = pairwise(section, comparison.confidence)
        if tests is not None:
            yield pair_table(f"All pairs: {section.title}", tests, comparison.confidence)


def pair_table(title: str, tests: Pairwise, confidence: float) -> PairTable:
    """Matrix of pairwise tests with headers and notes."""
    names = numbered(tests)
    heads = ["row minus column", *(str(number) for number in range(1, len(names) + 1))]
    notes = list(explanation(tests, confidence))
    return PairTable(title, heads, names, matrix_of(tests, confidence), notes)


def _pair_rows(
    one: PairTable, bold: Callable[[str], str], safe: Callable[[str], str]
) -> list[list[str]]:
    return [
        [safe(name), *(bold(safe(c.text)) if c.significant else safe(c.text) for c in row)]
        for name, row in zip(one.names, one.matrix, strict=True)
    ]


def _pairs_terminal(one: PairTable) -> list[CutTable | str]:
    rows = _pair_rows(one, lambda text: f"[bold]{text}[/bold]", escape)
    heads = [Heading(head, number > 0) for number, head in enumerate(one.heads)]
    return [CutTable(heads, rows, one.title), *map(escape, one.notes)]


def _pairs_markdown(one: PairTable) -> str:
    rows = _pair_rows(one, _bold, markdown_text)
    table = markdown_table(one.heads, ["---", *["---:"] * len(rows)], rows)
    notes = "\n".join(f"- {markdown_text(note)}" for note in one.notes)
    return f"**{markdown_text(one.title)}**\n\n{table}\n\n{notes}"


def _pairs_latex(one: PairTable) -> str:
    rows = [
        [_minus(cell) for cell in row]
        for row in _pair_rows(one, lambda text: rf"\textbf{{{text}}}", latex_text)
    ]
    tabular = latex_tabular("l" + "r" * len(rows), one.heads, [(one.title, rows)])
    return latex_environment(latex_fitted(tabular), one.notes)


def _minus(cell: str) -> str:
    for start in ("", r"\textbf{"):
        if cell.startswith(f"{start}-"):
            return f"{start}$-${cell[len(start) + 1 :]}"  # a minus and not a hyphen
    return cell


def cells(result: PublishedResult) -> tuple[str, ...]:
    """Cells of a published result."""
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


def latex(comparison: Comparison) -> str:
    r"""LaTeX table environment; the document needs `\usepackage{booktabs,graphicx}`."""
    published = _latex_published(comparison) if comparison.published else ()
    table = latex_environment([*_latex_tables(comparison), *published], remarks(comparison))
    return "\n".join([table, *(_pairs_latex(one) for one in pair_tables(comparison))])


def _latex_tables(comparison: Comparison) -> Iterator[str]:
    # Tables with the same columns form one tabular, so that their columns are aligned.
    alike: dict[tuple[Setting, ...], list[Sheet]] = {}
    for sheet in sheets(comparison.sections):
        alike.setdefault(sheet.several, []).append(sheet)
    for number, (settings, group) in enumerate(alike.items()):
        if number:
            yield r"\par\medskip"
        yield from latex_fitted(_latex_group(group, columns(comparison, settings), len(alike) > 1))


def _latex_group(group: Sequence[Sheet], chosen: Sequence[Column], titled: bool) -> Iterator[str]:
    rows = [
        (
            sheet.title if titled or len(group) > 1 else "",
            [[_latex_cell(column, entry) for column in chosen] for entry in sheet.entries],
        )
        for sheet in group
    ]
    aligned = "".join("r" if column.number else "l" for column in chosen)
    return latex_tabular(aligned, [column.header for column in chosen], rows)


def _latex_published(comparison: Comparison) -> Iterator[str]:
    yield rf"\par\medskip {latex_text(PUBLISHED)}\par\smallskip"
    rows = [[latex_text(cell) for cell in cells(entry)] for entry in comparison.published]
    aligned = "".join("r" if header in NUMBERS else "l" for header in HEADERS)
    yield from latex_fitted(latex_tabular(aligned, HEADERS, [("", rows)]))


def _latex_cell(column: Column, entry: Entry) -> str:
    line = entry.line(column)
    if line is None:
        return ""
    text = latex_text(column.text(line))
    if column.main and line.best:
        return rf"\textbf{{{text}}}"
    if column.number and text.startswith("-"):
        text = f"$-${text[1:]}"  # a minus and not a hyphen
    return f"$=$ {text}" if column.main and column.number and line.level else text
