"""`fsarbench check`, `fsarbench run` and `fsarbench eval`."""

import os
import sys
from typing import Annotated

import typer

from fsarbench.cli.options import ConfigPath, Device, Overrides, Quiet


def check(config: ConfigPath, overrides: Overrides = None) -> None:
    """Report everything that is wrong with a config; run one episode without data or weights."""
    from fsarbench.runtime import shape_checks

    shape_checks.enforce()
    from fsarbench.config.loading import load_config
    from fsarbench.config.validation import check_config as check_config
    from fsarbench.experiments.dry_run import check_corpus, dry_run
    from fsarbench.report.run_summary import print_parts

    loaded = load_config(config, overrides or ())
    check_config(loaded)
    print_parts(loaded, dry_run(loaded.values))
    note = check_corpus(loaded.values)
    if note:
        print(note, file=sys.stderr)


def run(
    config: ConfigPath,
    overrides: Overrides = None,
    name: Annotated[
        str | None, typer.Option(help="What the run is called; the config's name by default.")
    ] = None,
    work_dir: Annotated[
        str | None, typer.Option(help="Where results go; runs/NAME, numbered, by default.")
    ] = None,
    device: Device = None,
    resume: Annotated[bool, typer.Option(help="Go on with the run in --work-dir.")] = False,
    quiet: Quiet = False,
    launcher: Annotated[
        str | None, typer.Option(help="slurm, where srun starts the processes; none for torchrun.")
    ] = None,
) -> None:
    """Train and test a config, print its result and write it to the work folder.

    A config with several seeds is run with each, in a folder of its own; exit status 1 if one of
    them fails.
    """
    # Importing torch takes seconds; one line says meanwhile what was started.
    if not quiet and is_first_process(launcher):
        print(f"{name or config}: loading config ...", file=sys.stderr, flush=True)
    from fsarbench.experiments.seeds import run_seeds

    succeeded = run_seeds(
        config,
        overrides or (),
        name=name,
        work_dir=work_dir,
        device=device,
        resume=resume,
        quiet=quiet,
        launcher=launcher,
    )
    if not succeeded:
        raise typer.Exit(1)


def is_first_process(launcher: str | None) -> bool:
    """Whether this process prints for all of a run; known from the environment, without torch."""
    rank = "SLURM_PROCID" if launcher == "slurm" else "RANK"  # torchrun sets RANK
    return os.environ.get(rank, "0") == "0"


def eval_(
    config: ConfigPath,
    checkpoint: Annotated[
        str, typer.Option(help="best.safetensors of a run, or the run's folder.")
    ],
    overrides: Overrides = None,
    name: Annotated[
        str | None, typer.Option(help="What the result is called; the config's name by default.")
    ] = None,
    work_dir: Annotated[
        str | None, typer.Option(help="Where results go; runs/NAME_eval, numbered, by default.")
    ] = None,
    device: Device = None,
    resume: Annotated[bool, typer.Option(help="Go on with the test in --work-dir.")] = False,
    quiet: Quiet = False,
) -> None:
    """Test a checkpoint without training, print the result and write it to the work folder."""
    from fsarbench.experiments.run import run_checkpoint

    run_checkpoint(
        config,
        checkpoint,
        overrides or (),
        name=name,
        work_dir=work_dir,
        device=device,
        resume=resume,
        quiet=quiet,
    )
