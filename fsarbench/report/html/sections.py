"""Content of the sections of the report, for the HTML template."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from markupsafe import Markup

from fsarbench.report.comparison.columns import Column, available, columns
from fsarbench.report.comparison.footnotes import remarks
from fsarbench.report.comparison.pairwise import explanation, matrix_of, pairwise
from fsarbench.report.comparison.rows import Row
from fsarbench.report.comparison.table import Comparison, Line, Section
from fsarbench.report.html.confusion import Confusion, confusion, most_confused
from fsarbench.report.html.episode_selection import Chosen
from fsarbench.report.html.episode_viewer import Viewer
from fsarbench.report.html.plot_export import inline_svg, slug
from fsarbench.report.html.plots import Plot


@dataclass(frozen=True)
class Head:
    """Column heading; `number` means a column of numbers, `key` is the key of the column."""

    text: str
    number: bool = False
    key: str = ""


@dataclass(frozen=True)
class Cell:
    """Table cell; `bold` cells are highlighted."""

    text: str
    bold: bool = False


@dataclass(frozen=True)
class Grid:
    """Table of headings and rows; `names` are the names of methods, if the rows are methods."""

    heads: Sequence[Head]
    rows: Sequence[Sequence[Cell]]
    names: Sequence[str] = ()


def comparison_grid(comparison: Comparison, section: Section) -> Grid:
    """Comparison table of one setting, with all columns of the whole comparison."""
    shared = all_columns(comparison)
    heads = [Head(column.header, column.number, column.key) for column in shared]
    rows = [[_cell(column, line) for column in shared] for line in section.lines]
    return Grid(heads, rows, [line.row.name for line in section.lines])


def all_columns(comparison: Comparison) -> list[Column]:
    """All columns of the page: first those that are shown at first, then those the reader may add.

    The method is always shown.
    """
    shown = columns(comparison)
    keys = {column.key for column in shown}
    return [*shown, *(column for column in available(comparison) if column.key not in keys)]


def offered_columns(comparison: Comparison) -> list[dict[str, Any]]:
    """Columns that the reader may show or hide."""
    keys = {column.key for column in columns(comparison)}
    return [
        {"key": column.key, "text": column.header, "shown": column.key in keys}
        for column in all_columns(comparison)
        if column.key != "method"
    ]


def pairs_content(section: Section, confidence: float) -> dict[str, Any] | None:
    """Matrix of the tests of all pairs of a setting; None if there are no two rows to compare."""
    tests = pairwise(section, confidence)
    if tests is None:
        return None
    return {
        "title": f"Paired tests of all pairs: {section.title}",
        "names": tests.names,
        "matrix": matrix_of(tests, confidence),
        "notes": list(explanation(tests, confidence)),
    }


# Byte of a pair of classes that are never in the same episode; the others are percentages.
NO_RATE = 255


def matrices(confusions: Mapping[str, Confusion]) -> dict[str, Any]:
    """Confusion matrices of methods as compact data, which the page draws when they are opened."""
    classes = list(dict.fromkeys(matrix.classes for matrix in confusions.values()))
    return {
        "classes": classes,
        "methods": [
            {"name": name, "classes": classes.index(matrix.classes), **packed_confusion(matrix)}
            for name, matrix in confusions.items()
        ],
    }


def packed_confusion(matrix: Confusion) -> dict[str, Any]:
    """Rates as one byte each, and the most often confused pairs by the numbers of their classes."""
    rates = np.where(np.isnan(matrix.rates), NO_RATE, np.round(100 * matrix.rates))
    numbers = {name: number for number, name in enumerate(matrix.classes)}
    return {
        "rates": base64.b64encode(rates.astype(np.uint8).tobytes()).decode(),
        "pairs": [
            [numbers[pair.true], numbers[pair.predicted], pair.count, pair.possible]
            for pair in most_confused(matrix)
        ],
    }


def chosen_grid(rows: Sequence[Row], chosen: Sequence[Chosen]) -> Grid:
    """Table of the selected episodes, with the accuracy of every method."""
    heads = [
        Head("reason"),
        Head("episode", True),
        *(Head(row.name, True, row.name) for row in rows),
    ]
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


UNKEPT = "No results per class: these runs have no episodes.npz. Run them again."
# Title and kinds of plots of each group.
GROUPS = {
    "cost": ("Accuracy and costs", ("accuracy", "tuned", "gflop", "memory")),
    "training": ("Training", ("validation", "training", "loss")),
    "classes": ("Classes", ("classes",)),
}


@dataclass(frozen=True)
class Looked:
    """Selected episodes of a section and the content of its episode viewer.

    Attributes:
        rows: Methods by whose accuracy the episodes were selected.
        chosen: Selected episodes.
        viewer: Clips, scores and explanations of every method.
    """

    rows: Sequence[Row]
    chosen: Sequence[Chosen]
    viewer: Viewer


def section_content(
    comparison: Comparison, section: Section, plots: Sequence[Plot], looked: Looked | None
) -> dict[str, Any]:
    """Content of the section of one setting."""
    by_kind = {plot.kind: plot for plot in plots}
    groups: list[dict[str, Any]] = [
        {
            "id": name,
            "title": title,
            "plots": [plot_content(by_kind[kind]) for kind in kinds if kind in by_kind],
        }
        for name, (title, kinds) in GROUPS.items()
    ]
    groups = [group for group in groups if group["plots"]]
    confusions = {
        line.row.name: matrix
        for line in section.lines
        if (matrix := confusion(line.row)) is not None
    }
    pairs = pairs_content(section, comparison.confidence)
    anchors = [("comparison", "comparison"), *([("pairs", "all pairs")] if pairs else [])]
    anchors += [(group["id"], group["title"].lower()) for group in groups]
    anchors += [("confusion", "confusion")] if confusions else []
    return {
        "id": slug(section.title),
        "title": section.title,
        "table": comparison_grid(comparison, section),
        "remarks": remarks(replace(comparison, columns=())),
        "pairs": pairs,
        "groups": groups,
        "confusions": list(confusions),
        "matrices": embedded(matrices(confusions)),
        "unkept": "" if confusions else UNKEPT,
        "anchors": [*anchors, *([("episodes", "episodes")] if looked else [])],
        **(looked_content(looked) if looked else {}),
    }


def looked_content(looked: Looked) -> dict[str, Any]:
    """Content of the episodes of a section."""
    return {
        "chosen": chosen_grid(looked.rows, looked.chosen),
        "viewer": embedded(looked.viewer.episodes) if looked.viewer.methods else "",
        "missing": sorted(looked.viewer.missing.items()),
    }


def plot_content(plot: Plot) -> dict[str, Any]:
    """Content of a plot."""
    svg = Markup(inline_svg(plot))
    return {"title": plot.title, "words": plot.words, "svg": svg, "wide": plot.wide}


def embedded(data: Any) -> Markup:
    r"""JSON for a script element, escaped so that no text can end the element.

    Example:
        >>> print(embedded({"name": "</script>"}))
        {"name":"\u003c/script>"}
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))
