"""`fsarbench compare`."""

from typing import Annotated

import typer

from fsarbench.cli.options import Baseline, Columns, Confidence, Order, Rename, Runs, TableLayout


def compare(  # noqa: PLR0913 (one argument per option)
    runs: Runs,
    baseline: Baseline = None,
    published: Annotated[bool, typer.Option(help="Add published results.")] = False,
    confidence: Confidence = 0.95,
    layout: Annotated[
        str | None, typer.Option("--format", help="markdown, latex, csv or json.")
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="File to write; printed by default.")
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(help="JSON file of `profile --json`; adds the cost of a training step."),
    ] = None,
    columns: Columns = None,
    rename: Rename = None,
    order: Order = None,
    table: TableLayout = None,
    pairwise: Annotated[bool, typer.Option(help="Add the paired tests of all pairs.")] = False,
) -> None:
    """Compare finished runs in one table, with intervals and paired tests on equal episodes."""
    from fsarbench.report.comparison.arrangement import from_options
    from fsarbench.report.comparison.compare import compare as compare_runs

    compare_runs(
        runs,
        baseline=baseline,
        published=published,
        confidence=confidence,
        layout=layout,
        out=out,
        profile=profile,
        arranged=from_options(columns, rename, order, table),
        pairwise=pairwise,
    )
