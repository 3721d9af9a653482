"""`fsarbench eval`."""

from typing import Annotated

import typer

from fsarbench.cli.options import ConfigPath, Device, Overrides, Quiet


def eval_(
    config: ConfigPath,
    checkpoint: Annotated[
        str, typer.Option(help="best.safetensors of a run, or the folder of the run.")
    ],
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
