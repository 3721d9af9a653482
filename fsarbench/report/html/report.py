"""`fsarbench report` and `fsarbench episode`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fsarbench.errors import UserError
from fsarbench.report.comparison.compare import Options as CompareOptions
from fsarbench.report.comparison.compare import comparison_of
from fsarbench.report.comparison.rows import Row
from fsarbench.report.comparison.table import Comparison, Section
from fsarbench.report.html.episode_selection import Chosen, alike, choose, same_draw
from fsarbench.report.html.episode_viewer import Viewer, view
from fsarbench.report.html.plot_export import write_figures
from fsarbench.report.html.plot_list import plots_of
from fsarbench.report.html.plots import Plot
from fsarbench.report.html.sections import Looked, embedded, section_content
from fsarbench.report.page.page import page
from fsarbench.report.page.rebuilt import Rebuild
from fsarbench.report.page.slugs import slug
from fsarbench.runtime.atomic_files import require_writable, write_text
from fsarbench.runtime.progress import Bars


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says.

    Attributes:
        out: The page to write; None for none.
        figures: The folder for every plot as a file; None for none.
        formats: Of these files.
        baseline: As in `fsarbench compare`.
        confidence: Of all intervals and tests.
        episodes: How many episodes of each kind the viewer shows; 0 leaves it out.
        quiet: Show no progress.
    """

    out: str | None = "report.html"
    figures: str | None = None
    formats: Sequence[str] = ("svg",)
    baseline: str | None = None
    confidence: float = 0.95
    episodes: int = 2
    quiet: bool = False


def report(paths: Sequence[str], options: Options, rebuild: Rebuild) -> None:
    """Writes the page of some finished runs, their figures, or both.

    Args:
        paths: Folders of runs.
        options: What else the command line says.
        rebuild: Makes the model of a run.

    Raises:
        UserError: A run cannot be read, or an option is wrong.
    """
    if options.out is not None:
        require_writable(Path(options.out), "--out")
    if options.figures is not None:
        require_writable(Path(options.figures), "--figures", folder=True)
    asked = CompareOptions(baseline=options.baseline, confidence=options.confidence)
    comparison = comparison_of([Path(path) for path in paths], asked)
    plots = plots_of(comparison)
    if options.figures is not None:
        every = [plot for group in plots for plot in group]
        written = write_figures(every, Path(options.figures), options.formats)
        print(f"{len(written)} figures written to {options.figures}")
    if options.out is not None:
        bars = Bars(quiet=options.quiet)
        seen = [look(section, options.episodes, rebuild, bars) for section in comparison.sections]
        for line in left_out(seen):
            print(line)
        write_text(Path(options.out), report_text(comparison, plots, seen))
        print(f"written to {options.out}")


def report_text(
    comparison: Comparison, plots: Sequence[Sequence[Plot]], seen: Sequence[Looked | None]
) -> str:
    """The page of a comparison, with the plots and the episodes of each section."""
    parts = zip(comparison.sections, plots, seen, strict=True)
    sections = [section_content(comparison, *part) for part in parts]
    names = dict.fromkeys(line.row.name for line in comparison.lines)
    runs = sum(len(line.row.runs) for line in comparison.lines)
    title = next(iter(names)) if len(names) == 1 else f"{len(names)} methods compared"
    summary = f"{runs} run{'' if runs == 1 else 's'}: {', '.join(names)}."
    return page(title, summary, sections)


def look(section: Section, episodes: int, rebuild: Rebuild, bars: Bars) -> Looked | None:
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
    section: Section, first: Row, chosen: Sequence[Chosen], rebuild: Rebuild, bars: Bars
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
    paths: Sequence[str], numbers: Sequence[int], out: str, rebuild: Rebuild, bars: Bars
) -> None:
    """Writes a page of single test episodes as some runs saw them.

    Raises:
        UserError: A run cannot be read or rebuilt, or the numbers are no episodes.
    """
    wrong = [number for number in numbers if number < 0]
    if wrong or not numbers:
        raise UserError(f"-i {wrong[0] if wrong else ''}: episodes are counted from 0.")
    require_writable(Path(out), "--out")
    comparison = comparison_of([Path(path) for path in paths], CompareOptions())
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
