"""`fsarbench report` and `fsarbench episode`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from fsarbench import __version__
from fsarbench.errors import UserError
from fsarbench.report.comparison.arrangement import Arrangement
from fsarbench.report.comparison.compare import USUAL, comparison_of
from fsarbench.report.comparison.rows import Row
from fsarbench.report.comparison.table import Comparison, Section
from fsarbench.report.html.confusion import confusion
from fsarbench.report.html.episode_selection import Chosen, alike, choose, same_draw
from fsarbench.report.html.episode_viewer import Viewer, view
from fsarbench.report.html.explanations import Rebuild
from fsarbench.report.html.plot_export import slug, write_figures
from fsarbench.report.html.plots import (
    Cost,
    Plot,
    accuracy_figure,
    class_figure,
    confusion_figure,
    cost_figure,
    curve_figure,
)
from fsarbench.report.html.sections import Looked, embedded, offered_columns, section_content
from fsarbench.report.html.training_curves import Curve, training, validation
from fsarbench.runtime.atomic_files import require_writable, write_text
from fsarbench.runtime.progress import ProgressBars

MEAN = "running mean"
# The summary on top of the page names so many methods; the table names all.
MOST_NAMES = 12


def plots_of(comparison: Comparison) -> list[list[Plot]]:
    """The plots of every section; a plot that would be empty is left out."""
    several = len(comparison.sections) > 1
    return [
        [
            *accuracy_plots(section, prefix),
            *curve_plots(section, prefix),
            *class_plots(section, prefix),
        ]
        for section in comparison.sections
        for prefix in [f"{slug(section.title)}_" if several else ""]
    ]


def accuracy_plots(section: Section, prefix: str) -> Iterator[Plot]:
    """Accuracy alone, and against what it costs."""
    lines = section.lines
    words = ", ".join(f"{line.row.name} {100 * line.row.mean:.1f} %" for line in lines)
    draw = partial(accuracy_figure, lines)
    yield Plot(
        f"{prefix}accuracy", "accuracy", "Accuracy", f"Accuracy with intervals: {words}.", draw
    )
    results = [line.row.first.result for line in lines]
    memory = [line.row.memory[0] / 2**30 or None for line in lines]
    costs = {
        "tuned": Cost(
            "trainable parameters (M)", [r["parameters"]["tuned"] / 1e6 for r in results]
        ),
        "gflop": Cost("GFLOPs per episode", [r["gflops"]["episode"] for r in results]),
        "memory": Cost("peak memory (GiB)", memory),
    }
    for name, cost in costs.items():
        if any(value is not None for value in cost.values):
            title = f"Accuracy against {cost.label}"
            known = ", ".join(
                f"{line.row.name} {value:.3g}"
                for line, value in zip(lines, cost.values, strict=True)
                if value is not None
            )
            words = f"{title}, with the Pareto front. {cost.label}: {known}."
            yield Plot(f"{prefix}{name}", name, title, words, partial(cost_figure, lines, cost))


def curve_plots(section: Section, prefix: str) -> Iterator[Plot]:
    """How training went; methods that were not trained have no line."""
    rows = [line.row for line in section.lines]
    kinds: dict[str, tuple[str, str, float, Callable[[Row], Curve]]] = {
        "validation": ("Accuracy on validation classes", "accuracy (%)", 100.0, validation),
        "training": (f"Accuracy in training, {MEAN}", "accuracy (%)", 100.0, _logged("accuracy")),
        "loss": (f"Training loss, {MEAN}", "loss", 1.0, _logged("loss")),
    }
    for name, (title, label, scale, read) in kinds.items():
        curves = [(row.name, read(row)) for row in rows]
        if any(curve for _, curve in curves):
            last = ", ".join(f"{name} {scale * c.values[-1]:.3g}" for name, c in curves if c)
            words = f"{title} over training episodes, mean over seeds; at the end: {last}."
            yield Plot(
                f"{prefix}{name}", name, title, words, partial(curve_figure, curves, label, scale)
            )


def class_plots(section: Section, prefix: str) -> Iterator[Plot]:
    """What is known and confused, of the rows that kept their answers."""
    named = [(place, line.row) for place, line in enumerate(section.lines)]
    every = [(place, row.name, confusion(row)) for place, row in named]
    found = [(place, name, each) for place, name, each in every if each is not None]
    alike = [each for each in found if each[2].classes == found[0][2].classes]
    if not found:
        return
    hardest = min(zip(found[0][2].accuracies, found[0][2].classes, strict=True))
    words = f"Accuracy of every class; the hardest for {found[0][1]} is {hardest[1]}."
    draw = partial(class_figure, alike)
    yield Plot(f"{prefix}classes", "classes", "Accuracy of every class", words, draw, wide=True)
    for _, name, each in found:
        words = f"Confusion matrix of {name}: true classes in rows, answers in columns, percent."
        title = f"Confusion: {name}"
        draw = partial(confusion_figure, each)
        yield Plot(f"{prefix}confusion_{slug(name)}", "confusion", title, words, draw, wide=True)


def _logged(tag: str) -> Callable[[Row], Curve]:
    return lambda row: training(row, tag)


def page(
    title: str,
    summary: str,
    sections: Sequence[Mapping[str, Any]],
    columns: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The whole page.

    Args:
        title: Its heading.
        summary: The sentence below it.
        sections: What `content` makes; keys that one lacks are empty.
        columns: Columns of the comparison that the reader may show or hide.
    """
    template = _environment().get_template("report.html")
    known = [{**EMPTY, **section} for section in sections]
    return template.render(
        title=title, summary=summary, sections=known, columns=columns, version=__version__
    )


EMPTY: dict[str, Any] = dict.fromkeys(
    (
        *("table", "remarks", "pairs", "groups", "confusions", "matrices", "unkept"),
        *("chosen", "viewer", "missing"),
    ),
    (),
)


def _environment() -> Environment:
    # Everything that is not marked as HTML is text: a class may be called <script>.
    loader = PackageLoader("fsarbench.report.html", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def report(  # noqa: PLR0913 (one argument for each option)
    paths: Sequence[str],
    rebuild: Rebuild,
    *,
    out: str | None = "report.html",
    figures: str | None = None,
    formats: Sequence[str] = ("svg",),
    baseline: str | None = None,
    confidence: float = 0.95,
    episodes: int = 2,
    arranged: Arrangement = USUAL,
    quiet: bool = False,
) -> None:
    """Writes the page of some finished runs, their figures, or both.

    Args:
        paths: Folders of runs.
        rebuild: Makes the model of a run.
        out: The page to write; None for none.
        figures: The folder for every plot as a file; None for none.
        formats: File formats of the plots: `svg`, `pdf`, `png`.
        baseline: The run, or the name of the row, that the others are compared with.
        confidence: Confidence level of intervals and tests.
        episodes: How many episodes of each kind the viewer shows; 0 leaves it out.
        arranged: Columns that are shown at first, renamed rows and their order.
        quiet: Show no progress.

    Raises:
        UserError: A run cannot be read, or an option is wrong.
    """
    if out is not None:
        require_writable(Path(out), "--out")
    if figures is not None:
        require_writable(Path(figures), "--figures", folder=True)
    folders = [Path(path) for path in paths]
    comparison = comparison_of(folders, baseline=baseline, confidence=confidence, arranged=arranged)
    plots = plots_of(comparison)
    if figures is not None:
        every = [plot for group in plots for plot in group]
        written = write_figures(every, Path(figures), formats)
        print(f"{len(written)} figures written to {figures}")
    if out is not None:
        bars = ProgressBars(quiet=quiet)
        seen = [look(section, episodes, rebuild, bars) for section in comparison.sections]
        for line in left_out(seen):
            print(line)
        write_text(Path(out), report_text(comparison, plots, seen))
        print(f"written to {out}")


def report_text(
    comparison: Comparison, plots: Sequence[Sequence[Plot]], seen: Sequence[Looked | None]
) -> str:
    """The page of a comparison, with the plots and the episodes of each section."""
    parts = zip(comparison.sections, plots, seen, strict=True)
    sections = [section_content(comparison, *part) for part in parts]
    names = dict.fromkeys(line.row.name for line in comparison.lines)
    runs = sum(len(line.row.runs) for line in comparison.lines)
    title = next(iter(names)) if len(names) == 1 else f"{len(names)} methods compared"
    summary = f"{runs} run{'' if runs == 1 else 's'}: {', '.join(list(names)[:MOST_NAMES])}"
    more = len(names) - MOST_NAMES
    summary += f" and {more} more methods." if more > 0 else "."
    return page(title, summary, sections, offered_columns(comparison))


def look(section: Section, episodes: int, rebuild: Rebuild, bars: ProgressBars) -> Looked | None:
    """Some episodes of a setting as its methods saw them; None where none are wanted."""
    if episodes < 1:
        return None
    rows = most_alike(section)
    chosen = choose(rows, episodes)
    return Looked(rows, chosen, see_all(section, rows[0], chosen, rebuild, bars))


def left_out(seen: Sequence[Looked | None]) -> list[str]:
    """Lines on the methods that the episode viewer lacks, with the reasons."""
    missing = [item for looked in seen if looked for item in looked.viewer.missing.items()]
    return [f"not among the episodes of the page: {name}: {reason}" for name, reason in missing]


def most_alike(section: Section) -> list[Row]:
    """The largest group of rows that were tested on the same episodes."""
    rows = [line.row for line in section.lines]
    groups = [alike([row, *(other for other in rows if other is not row)]) for row in rows]
    largest = max(groups, key=len)
    return [row for row in rows if row in largest]


def see_all(
    section: Section, first: Row, chosen: Sequence[Chosen], rebuild: Rebuild, bars: ProgressBars
) -> Viewer:
    """The viewer of all rows to which the episodes' numbers mean the same as to `first`."""
    rows = [line.row for line in section.lines]
    viewer = view([row for row in rows if same_draw(row, first)], chosen, rebuild, bars)
    for row in rows:
        if not same_draw(row, first):
            viewer.missing[row.name] = "It was tested on other episodes."
    return viewer


def check_numbers(comparison: Comparison, numbers: Sequence[int]) -> None:
    """Refuse an episode that a run does not have.

    Raises:
        UserError: A number is too large; the message names the run and the range.
    """
    row = min((line.row for line in comparison.lines), key=lambda row: row.accuracies.shape[1])
    count = row.accuracies.shape[1]
    if max(numbers) >= count:
        raise UserError(
            f"-i {max(numbers)}: {row.name} was tested on {count} episodes, numbered 0 to "
            f"{count - 1}."
        )


def episode(
    paths: Sequence[str], numbers: Sequence[int], out: str, rebuild: Rebuild, bars: ProgressBars
) -> None:
    """Writes a page of single test episodes as some runs saw them.

    Raises:
        UserError: A run cannot be read or rebuilt, or the numbers are no episodes.
    """
    wrong = [number for number in numbers if number < 0]
    if wrong or not numbers:
        raise UserError(f"-i {wrong[0] if wrong else ''}: episodes are counted from 0.")
    require_writable(Path(out), "--out")
    comparison = comparison_of([Path(path) for path in paths])
    check_numbers(comparison, numbers)
    chosen = [Chosen(number, "", ()) for number in numbers]
    sections = []
    for section in comparison.sections:
        viewer = see_all(section, section.lines[0].row, chosen, rebuild, bars)
        if not viewer.methods:
            raise UserError("; ".join(viewer.missing.values()))
        content = {"viewer": embedded(viewer.episodes), "missing": sorted(viewer.missing.items())}
        head = {"id": slug(section.title), "title": section.title, "anchors": []}
        sections.append({**head, **content})
    title = f"Episode {', '.join(map(str, numbers))}"
    names = dict.fromkeys(line.row.name for line in comparison.lines)
    write_text(Path(out), page(title, f"As seen by {', '.join(names)}.", sections))
    print(f"written to {out}")
