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
    time: Annotated[
        bool | None,
        typer.Option(
            "--time/--no-time",
            help="Measure times or skip it; by default skipped on a CPU if it takes over a minute.",
        ),
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Number of timing repetitions.")] = 10,
    roofline: Annotated[
        bool, typer.Option("--roofline", help="Add a roofline analysis of the first config.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Parameters, FLOPs, memory and speed of configs; needs neither data nor weights."""
    del quiet
    from fsarbench.profiling.profile import LIMIT, TimingOptions
    from fsarbench.profiling.profile import profile as run_profile
    from fsarbench.report.profile_table import show

    timing = TimingOptions(
        repeats=0 if time is False else repeats, limit=LIMIT if time is None else None
    )
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
