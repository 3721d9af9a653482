"""`fsarbench compare`: finished runs in one table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fsarbench.errors import UserError
from fsarbench.files import write_text
from fsarbench.report.compare_costs import Profile
from fsarbench.report.compare_data import csv_text, json_text
from fsarbench.report.compare_latex import latex
from fsarbench.report.compare_rows import rows_of
from fsarbench.report.compare_runs import find_runs, read_run
from fsarbench.report.compare_table import Comparison, compare_rows
from fsarbench.report.compare_text import markdown, terminal
from fsarbench.report.table_layouts import layout_of
from fsarbench.report.terminal import terminal as standard_output

LAYOUTS = {"markdown": markdown, "latex": latex, "csv": csv_text, "json": json_text}


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says.

    Attributes:
        baseline: The run, or the name of the row, that the others are compared with.
        published: Add what papers report of the same methods.
        confidence: Of all intervals and tests.
        layout: `markdown`, `latex`, `csv` or `json`; None for that of `out`, or the terminal's.
        out: The file to write.
        profile: A file of `fsarbench profile`, for what training steps cost.
    """

    baseline: str | None = None
    published: bool = False
    confidence: float = 0.95
    layout: str | None = None
    out: str | None = None
    profile: str | None = None


def compare(paths: Sequence[str], options: Options) -> None:
    """Print or write the comparison of finished runs.

    Raises:
        UserError: A run cannot be read, runs of one name differ, or an option is wrong.
    """
    layout = layout_of(options.layout, options.out)
    if not 0 < options.confidence < 1:
        raise UserError(f"--confidence {options.confidence} must lie between 0 and 1 (0.95).")
    comparison = comparison_of([Path(path) for path in paths], options)
    if layout is None:
        standard_output().print(terminal(comparison))
    elif options.out is None:
        print(LAYOUTS[layout](comparison), end="")
    else:
        write_text(Path(options.out), LAYOUTS[layout](comparison))


def comparison_of(paths: Sequence[Path], options: Options) -> Comparison:
    """The comparison as data.

    Raises:
        UserError: As `compare`.
    """
    base = Path(options.baseline) if options.baseline else None
    named = base is not None and not base.exists()
    folders, unfinished = find_runs([*([] if base is None or named else [base]), *paths])
    runs = [run for folder in folders for run in read_run(folder)]
    found = compare_rows(
        rows_of(runs),
        baseline=(options.baseline or "") if named or base is None else runs[0].name,
        confidence=options.confidence,
        published=options.published,
        unfinished=[folder.name for folder in unfinished],
    )
    return replace(found, profile=Profile(Path(options.profile))) if options.profile else found
