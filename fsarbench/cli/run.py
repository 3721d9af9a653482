"""`fsarbench check`, `fsarbench run` and `fsarbench eval`."""

import os
import sys
from typing import Annotated

import typer

from fsarbench.cli.options import ConfigPath, Device, ModelConfig, Overrides, Quiet


def check(config: ConfigPath, overrides: Overrides = None) -> None:
    """Report all faults of a config; run one episode without data or weights."""
    from fsarbench.runtime import shape_checks

    shape_checks.enforce()
    from fsarbench.config.loading import load_config
    from fsarbench.config.validation import check_config as check_config
    from fsarbench.experiments.dry_run import check_corpus, dry_run
    from fsarbench.report.run_summary import print_components

    loaded = load_config(config, overrides or ())
    check_config(loaded)
    print_components(loaded, dry_run(loaded.values))
    note = check_corpus(loaded.values)
    if note:
        print(note, file=sys.stderr)


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

    A config with several seeds is run once per seed, in separate folders. Exit status 1 if a seed
    fails.
    """
    # Importing torch takes seconds, so the first line is printed before.
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
