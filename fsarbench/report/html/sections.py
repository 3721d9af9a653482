"""Content of the sections of the report, for the HTML template."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from fsarbench.report.comparison.columns import Column, columns
from fsarbench.report.comparison.footnotes import remarks
from fsarbench.report.comparison.rows import Row
from fsarbench.report.comparison.table import Comparison, Line, Section
from fsarbench.report.html.confusion import Confusion, confusion, most_confused
from fsarbench.report.html.episode_selection import Chosen
from fsarbench.report.html.episode_viewer import Viewer
from fsarbench.report.html.plot_export import inline_svg, slug
from fsarbench.report.html.plots import Plot


@dataclass(frozen=True)
class Head:
    """Column heading; `number` means a column of numbers."""

    text: str
    number: bool = False


@dataclass(frozen=True)
class Cell:
    """Table cell; `bold` cells are highlighted."""

    text: str
    bold: bool = False


@dataclass(frozen=True)
class Grid:
    """Table of headings and rows."""

    heads: Sequence[Head]
    rows: Sequence[Sequence[Cell]]


def comparison_grid(comparison: Comparison, section: Section) -> Grid:
    """Comparison table of one setting, with the columns of the whole comparison."""
    shared = columns(comparison)
    heads = [Head(column.header, column.number) for column in shared]
    return Grid(heads, [[_cell(column, line) for column in shared] for line in section.lines])


def confused_grid(matrix: Confusion) -> Grid:
    """Table of the most often confused pairs of classes."""
    heads = [
        Head("true class"),
        Head("predicted class"),
        Head("rate (%)", True),
        Head("queries", True),
        Head("of", True),
    ]
    rows = [
        [p.true, p.predicted, f"{100 * p.rate:.1f}", f"{p.count:,}", f"{p.possible:,}"]
        for p in most_confused(matrix)
    ]
    return Grid(heads, [[Cell(text) for text in row] for row in rows])


def chosen_grid(rows: Sequence[Row], chosen: Sequence[Chosen]) -> Grid:
    """Table of the selected episodes, with the accuracy of every method."""
    heads = [Head("reason"), Head("episode", True), *(Head(row.name, True) for row in rows)]
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
    groups = [
        {
            "id": name,
            "title": title,
            "plots": [plot_content(by_kind[kind]) for kind in kinds if kind in by_kind],
        }
        for name, (title, kinds) in GROUPS.items()
    ]
    groups = [group for group in groups if group["plots"]]
    confusions = list(_confusions(section, plots))
    anchors = [("comparison", "comparison"), *((g["id"], g["title"]) for g in groups)]
    anchors += [("confusion", "confusion")] if confusions else []
    return {
        "id": slug(section.title),
        "title": section.title,
        "table": comparison_grid(comparison, section),
        "remarks": remarks(comparison),
        "groups": groups,
        "confusions": confusions,
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


def _confusions(section: Section, plots: Sequence[Plot]) -> Iterator[dict[str, Any]]:
    confusion_plots = iter([plot for plot in plots if plot.kind == "confusion"])
    for line in section.lines:
        matrix = confusion(line.row)
        if matrix is not None:
            pairs = confused_grid(matrix)
            yield {
                "name": line.row.name,
                "plot": plot_content(next(confusion_plots)),
                "pairs": pairs if pairs.rows else None,
            }
