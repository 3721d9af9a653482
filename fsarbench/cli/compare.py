"""`fsarbench compare`."""

from typing import Annotated

import typer


def compare(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Folders of runs, or folders of these.")
    ],
    baseline: Annotated[
        str | None, typer.Option(help="Run or name: adds paired differences to it.")
    ] = None,
    published: Annotated[bool, typer.Option(help="Add what papers report.")] = False,
    confidence: Annotated[float, typer.Option(help="Of intervals and tests.")] = 0.95,
    layout: Annotated[
        str | None, typer.Option("--format", help="markdown, latex, csv or json.")
    ] = None,
    out: Annotated[str | None, typer.Option("--out", "-o", help="The file to write.")] = None,
    profile: Annotated[
        str | None, typer.Option(help="A file of `profile --json`: adds what a step costs.")
    ] = None,
) -> None:
    """Put finished runs into one table, with intervals and tests on the same episodes."""
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
