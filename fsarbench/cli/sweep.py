"""`fsarbench sweep`."""

from typing import Annotated, Any

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

Executor = Annotated[
    str | None,
    typer.Option(
        help="inline: one after another (default); local: processes of this machine; slurm: jobs."
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", metavar="N", help="Runs at the same time: processes or jobs."),
]
Partition = Annotated[str | None, typer.Option(help="Slurm: partition of the jobs.")]
Time = Annotated[
    str | None, typer.Option(help="Slurm: time limit of a job, in minutes or as HH:MM:SS.")
]
Gpus = Annotated[int | None, typer.Option(help="Slurm: GPUs of a job, 0 or 1.")]
Cpus = Annotated[int | None, typer.Option(help="Slurm: CPUs of a job.")]
Mem = Annotated[str | None, typer.Option(help="Slurm: memory of a job, such as 16G.")]
Slurm = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="Slurm: a further option of sbatch. Repeatable."),
]
Status = Annotated[
    bool, typer.Option("--status", help="Print the state of every run, and start none.")
]


def sweep(  # noqa: PLR0913 (one argument for each option)
    configs: Configs,
    grid: Grid = None,
    overrides: Overrides = None,
    name: Name = None,
    work_dir: WorkDir = None,
    device: Device = None,
    baseline: Baseline = None,
    out: Out = None,
    executor: Executor = None,
    jobs: Jobs = None,
    partition: Partition = None,
    time: Time = None,
    gpus: Gpus = None,
    cpus: Cpus = None,
    mem: Mem = None,
    slurm: Slurm = None,
    status: Status = False,
) -> None:
    """Run all combinations of configs and options, and compare them in one table; resumable.

    A failed run is reported and does not stop the others. Exit status 1 if a run fails.
    """
    rows = {"grid": grid or (), "overrides": overrides or (), "name": name, "work_dir": work_dir}
    if status:
        print_states(configs, rows)
        return
    cluster = {"partition": partition, "time": time, "gpus": gpus, "cpus": cpus, "mem": mem}
    where = {"executor": executor, "jobs": jobs, "slurm": slurm or (), **cluster}
    run_rows(configs, rows, where, device=device, baseline=baseline, out=out)


def print_states(configs: list[str], rows: dict[str, Any]) -> None:
    """Print the state of every run.

    Args:
        configs: Configs and sweep files.
        rows: Options that make rows of them.
    """
    from fsarbench.experiments.sweep_status import print_status, sweep_status

    print_status(sweep_status(configs, **rows))


def run_rows(
    configs: list[str], rows: dict[str, Any], where: dict[str, Any], **options: Any
) -> None:
    """Run a sweep; exit status 1 if a run fails.

    Args:
        configs: Configs and sweep files.
        rows: Options that make rows of them.
        where: Options that say where the runs are computed.
        options: Further arguments of `fsarbench.experiments.sweep.sweep`.
    """
    import shlex
    import sys

    from fsarbench.experiments.engine import Engine
    from fsarbench.experiments.sweep import sweep as run_sweep

    command = shlex.join(["fsarbench", *sys.argv[1:]])
    engine = Engine(**where)
    if not run_sweep(configs, **rows, **options, command=command, engine=engine):
        raise typer.Exit(1)
