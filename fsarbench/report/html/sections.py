"""What the page shows, section by section, for its template."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from fsarbench.report.comparison.columns import Column, columns
from fsarbench.report.comparison.footnotes import remarks
from fsarbench.report.comparison.rows import Row
from fsarbench.report.comparison.table import Comparison, Line, Section
from fsarbench.report.html.confusion import Confusion, confusion, mistaken
from fsarbench.report.html.episode_selection import Chosen
from fsarbench.report.html.episode_viewer import Viewer
from fsarbench.report.html.plot_export import inline_svg, slug
from fsarbench.report.html.plots import Plot


@dataclass(frozen=True)
class Head:
    """The heading of a column."""

    text: str
    number: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell; `bold` stands out."""

    text: str
    bold: bool = False


@dataclass(frozen=True)
class Grid:
    """A table."""

    heads: Sequence[Head]
    rows: Sequence[Sequence[Cell]]


def comparison_grid(comparison: Comparison, section: Section) -> Grid:
    """The rows of one setting in the columns of the whole comparison."""
    chosen = columns(comparison)
    heads = [Head(column.header, column.number) for column in chosen]
    return Grid(heads, [[_cell(column, line) for column in chosen] for line in section.lines])


def mistaken_grid(found: Confusion) -> Grid:
    """The pairs of classes that are most often confused."""
    heads = [
        Head("true class"),
        Head("answered"),
        Head("share (%)", True),
        Head("queries", True),
        Head("of", True),
    ]
    rows = [
        [m.true, m.said, f"{100 * m.rate:.1f}", f"{m.count:,}", f"{m.met:,}"]
        for m in mistaken(found)
    ]
    return Grid(heads, [[Cell(text) for text in row] for row in rows])


def chosen_grid(rows: Sequence[Row], chosen: Sequence[Chosen]) -> Grid:
    """The episodes that are worth a look, with the accuracy of every method in them."""
    heads = [Head("why"), Head("episode", True), *(Head(row.name, True) for row in rows)]
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


UNKEPT = "There is nothing on classes here: these runs kept no episodes.npz. Run them again."
GROUPS = {
    "cost": ("Accuracy and what it costs", ("accuracy", "tuned", "gflop", "memory")),
    "training": ("Training", ("validation", "training", "loss")),
    "classes": ("Classes", ("classes",)),
}


@dataclass(frozen=True)
class Looked:
    """What the episode viewer of a section shows.

    Attributes:
        rows: The methods that the episodes were chosen by.
        chosen: The episodes.
        viewer: What every method saw in them.
    """

    rows: Sequence[Row]
    chosen: Sequence[Chosen]
    viewer: Viewer


def section_content(
    comparison: Comparison, section: Section, plots: Sequence[Plot], looked: Looked | None
) -> dict[str, Any]:
    """One setting."""
    by_kind = {plot.kind: plot for plot in plots}
    groups = [
        {"id": name, "title": title, "plots": [drawn(by_kind[k]) for k in kinds if k in by_kind]}
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
    """The episodes of a setting."""
    return {
        "chosen": chosen_grid(looked.rows, looked.chosen),
        "viewer": embedded(looked.viewer.episodes) if looked.viewer.methods else "",
        "missing": sorted(looked.viewer.missing.items()),
    }


def drawn(plot: Plot) -> dict[str, Any]:
    """A plot for the template."""
    svg = Markup(inline_svg(plot))
    return {"title": plot.title, "words": plot.words, "svg": svg, "wide": plot.wide}


def embedded(data: Any) -> Markup:
    r"""Data for a script element: no text in it can end that element.

    Example:
        >>> print(embedded({"name": "</script>"}))
        {"name":"\u003c/script>"}
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def _confusions(section: Section, plots: Sequence[Plot]) -> Iterator[dict[str, Any]]:
    drawings = iter([plot for plot in plots if plot.kind == "confusion"])
    for line in section.lines:
        found = confusion(line.row)
        if found is not None:
            pairs = mistaken_grid(found)
            yield {
                "name": line.row.name,
                "plot": drawn(next(drawings)),
                "pairs": pairs if pairs.rows else None,
            }
