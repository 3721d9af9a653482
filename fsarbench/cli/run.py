"""`fsarbench check`, `fsarbench run` and `fsarbench eval`."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from fsarbench.cli.options import ConfigPath, Device, ModelConfig, Overrides, Quiet


def check(
    config: Annotated[
        str | None,
        typer.Argument(metavar="CONFIG", help="Config file, or name of a config of the package."),
    ] = None,
    overrides: Overrides = None,
    every: Annotated[
        bool,
        typer.Option("--all", help="Check all configs of the package; exit status 1 for faults."),
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Report all faults of a config; run one episode without data or weights."""
    del quiet  # The option is applied globally, before the command runs.
    from fsarbench.experiments.check import check_one, print_all

    if every == (config is not None) or (every and overrides):
        raise typer.BadParameter("give either a config, with --set if needed, or --all")
    if config is not None:
        check_one(config, overrides or ())
    elif not print_all():
        raise typer.Exit(1)


def run(
    config: ConfigPath,
    overrides: Overrides = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the run; by default the name of the config.")
    ] = None,
    work_dir: Annotated[
        str | None, typer.Option(help="Output folder; by default runs/NAME, numbered.")
    ] = None,
    device: Device = None,
    resume: Annotated[bool, typer.Option(help="Resume the run in --work-dir.")] = False,
    quiet: Quiet = False,
    launcher: Annotated[
        str | None, typer.Option(help="slurm if srun starts the processes; not for torchrun.")
    ] = None,
) -> None:
    """Train and test a config; print the result and write it to the output folder.

    Several seeds are run one by one, in separate folders. Exit status 1 if a seed fails.
    """
    # Importing torch takes seconds, so the first line and missing videos or weights come before.
    if not quiet and is_first_process(launcher):
        print(f"{name or config}: loading config ...", file=sys.stderr, flush=True)
    require_inputs_once(config, overrides or (), launcher)
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


def require_inputs_once(config: str, overrides: Sequence[str], launcher: str | None) -> None:
    """Look for videos and weights in every process of a run, and report missing ones in the first.

    Args:
        config: Config file or name.
        overrides: Strings `key=value`.
        launcher: Value of `--launcher`.

    Raises:
        UserError: Something is missing, in the first process.
        typer.Exit: The same, in the others.
    """
    from fsarbench.config.data_at_hand import require_inputs
    from fsarbench.errors import UserError

    try:
        require_inputs(config, overrides)
    except UserError as error:
        if is_first_process(launcher):
            raise
        raise typer.Exit(1) from error


def is_first_process(launcher: str | None) -> bool:
    """Whether this process is the first of its run; read from the environment, without torch."""
    rank = "SLURM_PROCID" if launcher == "slurm" else "RANK"  # torchrun sets RANK
    return os.environ.get(rank, "0") == "0"


def eval_(
    config: ModelConfig,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            help="best.safetensors of a run, or the folder of the run; not for hub:OWNER/NAME."
        ),
    ] = None,
    overrides: Overrides = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the result; by default the name of the config.")
    ] = None,
    work_dir: Annotated[
        str | None, typer.Option(help="Output folder; by default runs/NAME_eval, numbered.")
    ] = None,
    device: Device = None,
    resume: Annotated[bool, typer.Option(help="Resume the test in --work-dir.")] = False,
    quiet: Quiet = False,
) -> None:
    """Test a checkpoint without training; print the result and write it to the output folder."""
    from fsarbench.config.data_at_hand import require_inputs
    from fsarbench.experiments.hub import is_hub

    if not is_hub(config):
        require_inputs(config, overrides or ())  # before torch is imported
    from fsarbench.experiments.hub.evaluate import evaluate_checkpoint

    evaluate_checkpoint(
        config,
        checkpoint,
        overrides or (),
        name=name,
        work_dir=work_dir,
        device=device,
        resume=resume,
        quiet=quiet,
    )
