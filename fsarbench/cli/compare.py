"""`fsarbench compare`."""

from typing import Annotated

import typer


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="Folders of runs, or folders that contain them."),
    ],
    baseline: Annotated[
        str | None,
        typer.Option(help="Folder or name of a run; adds paired differences from it."),
    ] = None,
    published: Annotated[bool, typer.Option(help="Add published results.")] = False,
    confidence: Annotated[
        float, typer.Option(help="Confidence level of intervals and tests.")
    ] = 0.95,
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
) -> None:
    """Compare finished runs in one table, with intervals and paired tests on equal episodes."""
    from fsarbench.report.comparison.compare import compare as compare_runs

    compare_runs(
        runs,
        baseline=baseline,
        published=published,
        confidence=confidence,
        layout=layout,
        out=out,
        profile=profile,
    )
