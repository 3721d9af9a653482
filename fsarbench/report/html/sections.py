"""What the page shows, section by section, for its template."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from fsarbench.report.comparison.footnotes import remarks
from fsarbench.report.comparison.rows import Row
from fsarbench.report.comparison.table import Comparison, Section
from fsarbench.report.html.confusion import confusion
from fsarbench.report.html.episode_selection import Chosen
from fsarbench.report.html.episode_viewer import Viewer
from fsarbench.report.html.plot_export import inline_svg
from fsarbench.report.html.plots import Plot
from fsarbench.report.page.slugs import slug
from fsarbench.report.page.tables import chosen_grid, comparison_grid, mistaken_grid

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
