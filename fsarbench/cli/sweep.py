"""`fsarbench sweep`."""

from typing import Annotated

import typer

from fsarbench.cli.options import Device, Overrides

Configs = Annotated[
    list[str], typer.Argument(metavar="CONFIG...", help="Configs, or files of named rows.")
]
Grid = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE,...", help="An axis: every combination is a run."),
]
Name = Annotated[
    str | None, typer.Option(help="What rows are called, such as '{matcher.type} + {config}'.")
]
WorkDir = Annotated[str | None, typer.Option(help="Where the runs go; runs/sweep_NAME by default.")]
Baseline = Annotated[str | None, typer.Option(help="A row's name: adds paired differences to it.")]
Out = Annotated[
    str | None, typer.Option("--out", "-o", help="The table's file: .md, .tex, .csv, .json.")
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
    """Run every combination of some configs, then put all into one table; finished ones are kept.

    A combination that fails is reported and does not stop the others; exit status 1 then.
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
