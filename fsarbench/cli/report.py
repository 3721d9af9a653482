"""`fsarbench report` and `fsarbench episode`."""

from typing import Annotated

import typer

from fsarbench.cli.options import Quiet

Runs = Annotated[
    list[str], typer.Argument(metavar="RUN...", help="Folders of runs, or folders of these.")
]

Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Import the modules that the configs of the runs name in custom_imports: runs them.",
    ),
]


def report(  # noqa: PLR0913 (one argument for each option)
    runs: Runs,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", help="The page; report.html, if no --figures are asked for."),
    ] = None,
    figures: Annotated[
        str | None, typer.Option(metavar="DIR", help="Writes every plot as a file.")
    ] = None,
    formats: Annotated[
        str, typer.Option("--format", help="Of these files: svg, pdf, png, with commas between.")
    ] = "svg,pdf",
    baseline: Annotated[
        str | None, typer.Option(help="Run or name: adds paired differences to it.")
    ] = None,
    confidence: Annotated[float, typer.Option(help="Of intervals and tests.")] = 0.95,
    episodes: Annotated[
        int, typer.Option(help="Hard, easy and disputed episodes to show, of each; 0 for none.")
    ] = 2,
    trust: Trust = False,
    quiet: Quiet = False,
) -> None:
    """Make one page of finished runs: table, plots, confusion, and a viewer of episodes."""
    from functools import partial

    from fsarbench.experiments.reload import reload_run
    from fsarbench.report.html.report import report as make

    make(
        runs,
        partial(reload_run, trust=trust),
        out=out or (None if figures else "report.html"),
        figures=figures,
        formats=[name.strip() for name in formats.split(",") if name.strip()],
        baseline=baseline,
        confidence=confidence,
        episodes=episodes,
        quiet=quiet,
    )


def episode(
    runs: Runs,
    numbers: Annotated[list[int], typer.Option("--index", "-i", help="Its number; repeatable.")],
    out: Annotated[str, typer.Option("--out", "-o", help="The page.")] = "episode.html",
    trust: Trust = False,
    quiet: Quiet = False,
) -> None:
    """Show a test episode: its frames, the scores, and what the matcher saw."""
    from functools import partial

    from fsarbench.experiments.reload import reload_run
    from fsarbench.report.html.report import episode as make
    from fsarbench.runtime.progress import ProgressBars

    make(runs, numbers, out, partial(reload_run, trust=trust), ProgressBars(quiet=quiet))
