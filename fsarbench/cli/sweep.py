"""`fsarbench sweep`."""

from typing import Annotated

import typer

from fsarbench.cli.options import Device, Overrides

Configs = Annotated[
    list[str],
    typer.Argument(metavar="CONFIG...", help="Configs, or sweep files with named rows."),
]
Grid = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE,...", help="Values of a key; every combination of keys is a run."
    ),
]
Name = Annotated[
    str | None, typer.Option(help="Pattern for row names, such as '{matcher.type} + {config}'.")
]
WorkDir = Annotated[str | None, typer.Option(help="Output folder; by default runs/sweep_NAME.")]
Baseline = Annotated[
    str | None, typer.Option(help="Name of a row; adds paired differences from it.")
]
Out = Annotated[
    str | None, typer.Option("--out", "-o", help="File for the table: .md, .tex, .csv or .json.")
]


def sweep(
    configs: Configs,
    grid: Grid = None,
    overrides: Overrides = None,
    name: Name = None,
    work_dir: WorkDir = None,
    device: Device = None,
    baseline: Baseline = None,
    out: Out = None,
) -> None:
    """Run all combinations of configs and options, and compare them in one table; resumable.

    A failed run is reported and does not stop the others. Exit status 1 if a run fails.
    """
    import shlex
    import sys

    from fsarbench.experiments.sweep import sweep as run_sweep

    succeeded = run_sweep(
        configs,
        grid=grid or (),
        overrides=overrides or (),
        name=name,
        work_dir=work_dir,
        device=device,
        baseline=baseline,
        out=out,
        command=shlex.join(["fsarbench", *sys.argv[1:]]),
    )
    if not succeeded:
        raise typer.Exit(1)
