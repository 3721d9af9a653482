"""`fsarbench compare`: finished runs in one table."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fsarbench.errors import UserError
from fsarbench.report.comparison.arrangement import Arrangement
from fsarbench.report.comparison.columns import columns
from fsarbench.report.comparison.rows import rows_of
from fsarbench.report.comparison.step_costs import Profile
from fsarbench.report.comparison.table import Comparison, compare_rows
from fsarbench.report.comparison.to_csv_json import csv_text, json_text
from fsarbench.report.comparison.to_text import latex, markdown, terminal
from fsarbench.report.table_layouts import layout_of
from fsarbench.results.finished_runs import Run, find_runs, read_run
from fsarbench.runtime.atomic_files import require_writable, write_text
from fsarbench.runtime.progress import make_console as standard_output

if TYPE_CHECKING:
    import pandas as pd

USUAL = Arrangement()
LAYOUTS = {"markdown": markdown, "latex": latex, "csv": csv_text, "json": json_text}


def compare(  # noqa: PLR0913 (one argument for each option)
    paths: Sequence[str],
    *,
    baseline: str | None = None,
    published: bool = False,
    confidence: float = 0.95,
    layout: str | None = None,
    out: str | None = None,
    profile: str | None = None,
    arranged: Arrangement = USUAL,
    pairwise: bool = False,
) -> None:
    """Print or write the comparison of finished runs.

    Args:
        paths: Folders of runs, or folders that hold them.
        baseline: The run, or the name of the row, that the others are compared with.
        published: Add what papers report of the same methods.
        confidence: Confidence level of intervals and tests.
        layout: `markdown`, `latex`, `csv` or `json`; None for that of `out`, or the terminal's.
        out: The file to write; None for the terminal.
        profile: A file of `fsarbench profile`, for what training steps cost.
        arranged: Selected columns, renamed rows and their order.
        pairwise: Add the tests of all pairs of rows.

    Raises:
        UserError: A run cannot be read, runs of one name differ, or an option is wrong.
    """
    chosen = layout_of(layout, out)
    if pairwise and chosen == "csv":
        raise UserError("--pairwise: a CSV table has one line per row; use --format json.")
    if not 0 < confidence < 1:
        raise UserError(f"--confidence {confidence} must lie between 0 and 1 (0.95).")
    if out is not None:
        require_writable(Path(out), "--out")
    comparison = comparison_of(
        [Path(path) for path in paths],
        baseline=baseline,
        published=published,
        confidence=confidence,
        profile=profile,
        arranged=arranged,
    )
    comparison = replace(comparison, pairwise=pairwise)
    if chosen is None:
        standard_output().print(terminal(comparison))
    elif out is None:
        print(LAYOUTS[chosen](comparison), end="")
    else:
        write_text(Path(out), LAYOUTS[chosen](comparison))


@dataclass(frozen=True)
class RunComparison:
    """A comparison of finished runs, in the forms that people want it in.

    Attributes:
        comparison: The comparison as data.
    """

    comparison: Comparison

    def to_pandas(self) -> "pd.DataFrame":
        """One row per row of the table, the columns of the CSV file."""
        import pandas as pd

        return pd.read_csv(io.StringIO(csv_text(self.comparison)))

    def to_markdown(self) -> str:
        """The tables and their notes as Markdown."""
        return markdown(self.comparison)

    def to_latex(self) -> str:
        """The tables and their notes as LaTeX."""
        return latex(self.comparison)

    def to_csv(self) -> str:
        """All rows as CSV."""
        return csv_text(self.comparison)

    def to_json(self) -> str:
        """The comparison as JSON."""
        return json_text(self.comparison)

    def _repr_markdown_(self) -> str:
        """The tables as notebooks show them."""
        return markdown(self.comparison)

    def __repr__(self) -> str:
        return markdown(self.comparison)

    __str__ = __repr__


def compare_runs(
    runs: Sequence[Run],
    baseline: str | None = None,
    confidence: float = 0.95,
    published: bool = False,
    arranged: Arrangement = USUAL,
    pairwise: bool = False,
) -> RunComparison:
    """Compare finished runs.

    Args:
        runs: The runs; those of one name differ in their seed alone and share a row.
        baseline: Name of the row that the others are compared with.
        confidence: Confidence level of intervals and tests.
        published: Add what papers report of the same methods.
        arranged: Selected columns, renamed rows and their order.
        pairwise: Add the tests of all pairs of rows.

    Raises:
        UserError: Runs of one name differ, or there is no such baseline, row or column.
    """
    if not 0 < confidence < 1:
        raise UserError(f"confidence is {confidence}, expected a number between 0 and 1 (0.95).")
    found = compare_rows(
        arranged.rows(rows_of(runs)),
        baseline=arranged.name(baseline or ""),
        confidence=confidence,
        published=published,
    )
    return RunComparison(with_columns(replace(found, pairwise=pairwise), arranged))


def with_columns(comparison: Comparison, arranged: Arrangement) -> Comparison:
    """The comparison with the selected columns.

    Raises:
        UserError: A column is unknown.
    """
    selected = replace(comparison, columns=arranged.columns)
    columns(selected)
    return selected


def comparison_of(
    paths: Sequence[Path],
    *,
    baseline: str | None = None,
    published: bool = False,
    confidence: float = 0.95,
    profile: str | None = None,
    arranged: Arrangement = USUAL,
) -> Comparison:
    """The comparison as data; the arguments are those of `compare`.

    Raises:
        UserError: As `compare`.
    """
    base = Path(baseline) if baseline else None
    named = base is not None and not base.exists()
    folders, unfinished = find_runs([*([] if base is None or named else [base]), *paths])
    runs = [run for folder in folders for run in read_run(folder)]
    rows = rows_of(runs)
    of_baseline = next((row.name for row in rows if any(run is runs[0] for run in row.runs)), "")
    found = compare_rows(
        arranged.rows(rows),
        baseline=arranged.name((baseline or "") if named or base is None else of_baseline),
        confidence=confidence,
        published=published,
        unfinished=[folder.name for folder in unfinished],
    )
    found = replace(found, profile=Profile(Path(profile))) if profile else found
    return with_columns(found, arranged)
