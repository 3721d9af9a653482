"""`fsarbench profile`."""

from typing import Annotated

import typer

from fsarbench.cli.options import Device, Overrides, Quiet


def profile(
    configs: Annotated[
        list[str], typer.Argument(metavar="CONFIG...", help="Config files or names.")
    ],
    overrides: Overrides = None,
    device: Device = None,
    json: Annotated[str | None, typer.Option(help="The file to write all figures to.")] = None,
    no_time: Annotated[
        bool, typer.Option("--no-time", help="Count and compute only; seconds for any model.")
    ] = False,
    repeats: Annotated[int, typer.Option(min=1, help="How often each work is timed.")] = 10,
    roofline: Annotated[
        bool, typer.Option("--roofline", help="Also the first config's share of the ceilings.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Parameters, operations, memory and speed of configs; needs neither data nor weights."""
    del quiet
    from fsarbench.profiling.profile import Timed
    from fsarbench.profiling.profile import profile as run_profile
    from fsarbench.report.profile_table import show

    timed = Timed(repeats=0 if no_time else repeats)
    show(
        run_profile(
            configs, overrides or (), device=device, json_file=json, timed=timed, roofline=roofline
        )
    )
