"""Tables of published results: terminal, Markdown, LaTeX, CSV and JSON."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from rich.console import Group
from rich.markup import escape

from fsarbench.catalogue.published_results import PublishedResult
from fsarbench.report.table_layouts import (
    CutTable,
    Heading,
    csv_table,
    latex_environment,
    latex_fitted,
    latex_tabular,
    latex_text,
)
from fsarbench.runtime.markdown import markdown_table, markdown_text

Sources = dict[str, int]  # a number for each source, in the order of the rows

TITLE = "Published results"
INTRODUCTION = (
    "Accuracies as printed, sorted by data set, task and accuracy. They were obtained with other "
    "code, and often with other clips, episodes and checkpoint selection: compare rows only where "
    "these columns agree. `fsarbench published` prints the table; `--dataset`, `--way`, `--shot` "
    "and `--method` choose rows."
)
LEGEND = (
    "pretraining, tuning: pre-training data and architecture of the backbone; its trained part.",
    "rerun: accuracy of an independent rerun, where one is reported.",
    "selection: the tested checkpoint was selected on validation classes (val), on the test "
    "classes (test), or not at all (fixed).",
    "text at test: none, class names (name), sentences of a language model (LLM) or of a "
    "multimodal one (MLLM).",
    "transductive: whether a query's score depends on the other queries of its episode.",
    "unknown: neither the source nor released code that was read says it.",
)


def yes_no(value: object) -> str:
    """`yes` or `no` for a Boolean; the text of any other value.

    Example:
        >>> yes_no(True), yes_no(False), yes_no("unknown")
        ('yes', 'no', 'unknown')
    """
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class PublishedColumn:
    """One column of the table.

    Attributes:
        header: Column heading.
        text: Function from a result and the numbers of the sources to the text of the cell.
        number: Whether the column has numbers.
    """

    header: str
    text: Callable[[PublishedResult, Sources], str]
    number: bool = False


COLUMNS = (
    PublishedColumn("method", lambda result, _: result.method),
    PublishedColumn("accuracy (%)", lambda result, _: f"{result.accuracy:.1f}", number=True),
    PublishedColumn("rerun (%)", lambda result, sources: rerun(result, sources), number=True),
    PublishedColumn("pretraining", lambda result, _: result.pretraining),
    PublishedColumn("tuning", lambda result, _: result.tuning),
    PublishedColumn("selection", lambda result, _: result.selection),
    PublishedColumn("text at test", lambda result, _: result.text_at_test),
    PublishedColumn("transductive", lambda result, _: yes_no(result.transductive)),
    PublishedColumn("source", lambda result, sources: f"[{sources[result.source]}]"),
    PublishedColumn("note", lambda result, _: result.note),
)
HEADERS = tuple(column.header for column in COLUMNS)


def rerun(result: PublishedResult, sources: Sources) -> str:
    """Accuracy and source number of an independent rerun; empty without a rerun."""
    if result.rerun is None:
        return ""
    return f"{result.rerun:.1f} [{sources[result.rerun_source]}]"


def terminal_table(results: Sequence[PublishedResult]) -> Group:
    """One table per task and the list of sources, for rich."""
    sources = numbered(results)
    headings = [Heading(column.header, column.number) for column in COLUMNS]
    tables = [
        CutTable(headings, [[escape(cell) for cell in row] for row in rows], title)
        for title, rows in sections(results, sources)
    ]
    return Group(*tables, *(escape(line) for line in source_lines(sources)))


def markdown(results: Sequence[PublishedResult]) -> str:
    """Markdown page with one table per task, sources and evidence."""
    sources = numbered(results)
    aligned = ["---:" if column.number else "---" for column in COLUMNS]
    blocks = [f"# {TITLE}", INTRODUCTION, bullets(LEGEND)]
    for title, rows in sections(results, sources):
        cells = [[markdown_text(cell) for cell in row] for row in rows]
        blocks += [f"## {title}", markdown_table(HEADERS, aligned, cells)]
    blocks += ["## Sources", bullets(source_lines(sources))]
    evidence = {result.method: result.evidence for result in results if result.evidence}
    if evidence:
        lines = [f"{method}: {evidence[method]}" for method in sorted(evidence, key=str.lower)]
        blocks += ["## How selection and text are known", bullets(lines)]
    return "\n\n".join(blocks) + "\n"


def latex(results: Sequence[PublishedResult]) -> str:
    r"""LaTeX table environment; the document needs `\usepackage{booktabs,graphicx}`."""
    sources = numbered(results)
    groups = [
        (title, [[latex_text(cell) for cell in row] for row in rows])
        for title, rows in sections(results, sources)
    ]
    aligned = "".join("r" if column.number else "l" for column in COLUMNS)
    table = latex_fitted(latex_tabular(aligned, HEADERS, groups))
    return latex_environment(table, (*LEGEND, *source_lines(sources)))


def csv_text(results: Sequence[PublishedResult]) -> str:
    """CSV table with one line per result and all fields; accuracies in percent, as printed."""
    return csv_table([record(result) for result in results])


def json_text(results: Sequence[PublishedResult]) -> str:
    """JSON list of the results with all fields; accuracies in percent, as printed."""
    return json.dumps([record(result) for result in results], indent=2, ensure_ascii=False) + "\n"


def record(result: PublishedResult) -> dict[str, Any]:
    """Fields of a result by name, with `transductive` in words."""
    return {**asdict(result), "transductive": yes_no(result.transductive)}


def sections(
    results: Sequence[PublishedResult], sources: Sources
) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield title and rows of each data set and task."""
    for (dataset, task), group in groupby(results, key=lambda r: (r.dataset, r.task)):
        rows = [[column.text(result, sources) for column in COLUMNS] for result in group]
        yield f"{dataset}, {task}", rows


def numbered(results: Sequence[PublishedResult]) -> Sources:
    """Number of each source of a result or rerun, in order of appearance."""
    used = (source for r in results for source in (r.source, r.rerun_source) if source)
    return {source: number for number, source in enumerate(dict.fromkeys(used), 1)}


def source_lines(sources: Sources) -> list[str]:
    """Lines of the numbered list of sources."""
    return [f"[{number}] {source}" for source, number in sources.items()]


def bullets(lines: Sequence[str]) -> str:
    """Markdown list of lines."""
    return "\n".join(f"- {markdown_text(line)}" for line in lines)


WRITERS = {"markdown": markdown, "latex": latex, "csv": csv_text, "json": json_text}
