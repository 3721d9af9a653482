"""`fsarbench eval`."""

from typing import Annotated

import typer

from fsarbench.cli.options import ConfigPath, Device, Overrides, Quiet


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
