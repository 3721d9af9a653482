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
    json: Annotated[str | None, typer.Option(help="JSON file for all figures.")] = None,
    no_time: Annotated[
        bool, typer.Option("--no-time", help="Skip measurements of time; takes seconds only.")
    ] = False,
    repeats: Annotated[int, typer.Option(min=1, help="Number of timing repetitions.")] = 10,
    roofline: Annotated[
        bool, typer.Option("--roofline", help="Add a roofline analysis of the first config.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Parameters, FLOPs, memory and speed of configs; needs neither data nor weights."""
    del quiet
    from fsarbench.profiling.profile import TimingOptions
    from fsarbench.profiling.profile import profile as run_profile
    from fsarbench.report.profile_table import show

    timing = TimingOptions(repeats=0 if no_time else repeats)
    show(
        run_profile(
            configs,
            overrides or (),
            device=device,
            json_file=json,
            timing=timing,
            roofline=roofline,
        )
    )
