"""Comparison of finished runs for `fsarbench compare`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fsarbench.errors import UserError
from fsarbench.report.comparison.rows import rows_of
from fsarbench.report.comparison.step_costs import Profile
from fsarbench.report.comparison.table import Comparison, compare_rows
from fsarbench.report.comparison.to_csv_json import csv_text, json_text
from fsarbench.report.comparison.to_latex import latex
from fsarbench.report.comparison.to_text import markdown, terminal
from fsarbench.results.finished_runs import find_runs, read_run
from fsarbench.runtime.atomic_files import require_writable, write_text
from fsarbench.runtime.console import make_console as standard_output

LAYOUTS = {"markdown": markdown, "latex": latex, "csv": csv_text, "json": json_text}
SUFFIXES = {".md": "markdown", ".tex": "latex", ".csv": "csv", ".json": "json"}


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of `fsarbench compare`.

    Attributes:
        baseline: Run folder or row name of the baseline.
        published: Whether to add the published results of the same methods.
        confidence: Confidence level of all intervals and tests, between 0 and 1.
        layout: `markdown`, `latex`, `csv` or `json`; None to infer it from `out`, or to print a
            terminal table.
        out: Output file; None for standard output.
        profile: File written by `fsarbench profile --json`, for the cost of training steps.
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
        UserError: A run is unreadable, runs of the same name differ, or an option is invalid.
    """
    layout = layout_of(options)
    if not 0 < options.confidence < 1:
        raise UserError(f"--confidence {options.confidence} must lie between 0 and 1 (0.95).")
    if options.out is not None:
        require_writable(Path(options.out), "--out")
    comparison = comparison_of([Path(path) for path in paths], options)
    if layout is None:
        standard_output().print(terminal(comparison))
    elif options.out is None:
        print(LAYOUTS[layout](comparison), end="")
    else:
        write_text(Path(options.out), LAYOUTS[layout](comparison))


def comparison_of(paths: Sequence[Path], options: Options) -> Comparison:
    """Compare finished runs.

    Raises:
        UserError: A run is unreadable, runs of the same name differ, or an option is invalid.
    """
    baseline = Path(options.baseline) if options.baseline else None
    by_name = baseline is not None and not baseline.exists()
    folders, unfinished = find_runs([*([] if baseline is None or by_name else [baseline]), *paths])
    runs = [run for folder in folders for run in read_run(folder)]
    comparison = compare_rows(
        rows_of(runs),
        baseline=(options.baseline or "") if by_name or baseline is None else runs[0].name,
        confidence=options.confidence,
        published=options.published,
        unfinished=[folder.name for folder in unfinished],
    )
    if options.profile:
        return replace(comparison, profile=Profile(Path(options.profile)))
    return comparison


def layout_of(options: Options) -> str | None:
    """Return the requested layout, or the one of the output file's suffix; None for the terminal.

    Raises:
        UserError: No layout has that name or suffix.
    """
    if options.layout is not None:
        if options.layout not in LAYOUTS:
            raise UserError(f"--format {options.layout}: it must be one of {', '.join(LAYOUTS)}.")
        return options.layout
    if options.out is None:
        return None
    suffix = Path(options.out).suffix
    if suffix not in SUFFIXES:
        raise UserError(f"-o {options.out}: name it {', '.join(SUFFIXES)}, or add --format.")
    return SUFFIXES[suffix]
