"""`fsarbench export`, `import-results`, `submit` and `verify`."""

from typing import Annotated

import typer

from fsarbench.cli.options import Runs

Submitter = Annotated[
    str | None, typer.Option(help="Person or lab to name in tables; none by default.")
]


def export(
    runs: Runs,
    out: Annotated[str, typer.Option("--out", "-o", help="Zip file to write.")],
    submitter: Submitter = None,
    weights: Annotated[bool, typer.Option(help="Add the trained weights of each run.")] = False,
) -> None:
    """Write finished runs to a zip file: result, predictions, resolved config and card."""
    from fsarbench.results.exchange.filing import export as write

    print(f"written to {write(runs, out, submitter=submitter, weights=weights)}")


def import_results(
    file: Annotated[str, typer.Argument(metavar="ZIP", help="Zip file of `fsarbench export`.")],
    to: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Results folder; by default one named after the file."),
    ] = None,
) -> None:
    """Check the results in a zip file and file them in a results folder; nothing is run."""
    from fsarbench.results.exchange.filing import import_results as read

    for folder in read(file, to):
        print(f"filed in {folder}")


def submit(
    runs: Runs,
    to: Annotated[str, typer.Option(metavar="DIR", help="Results folder, for example under git.")],
    submitter: Submitter = None,
) -> None:
    """Check finished runs and file them in a results folder, which nothing is replaced in."""
    from fsarbench.results.exchange.filing import submit as file_runs

    for folder in file_runs(runs, to, submitter=submitter):
        print(f"filed in {folder}")


def verify(
    path: Annotated[
        str, typer.Argument(metavar="DIR", help="Results folder, or zip file of `export`.")
    ],
) -> None:
    """Check all results of a folder again from their predictions; exit status 1 after a fault."""
    from fsarbench.results.exchange.verification import verify as check

    verification = check(path)
    print(verification)
    if not verification.valid:
        raise typer.Exit(1)
