"""`fsarbench report` and `fsarbench episode`."""

from typing import Annotated

import typer

from fsarbench.cli.options import (
    Baseline,
    Columns,
    Confidence,
    Order,
    Quiet,
    Rename,
    Runs,
    TableLayout,
)

Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Import the modules in custom_imports of the runs' configs, which runs their code.",
    ),
]

Page = Annotated[
    str | None,
    typer.Option("--out", "-o", help="HTML file; report.html by default without --figures."),
]
Figures = Annotated[str | None, typer.Option(metavar="DIR", help="Folder for the plots as files.")]
Formats = Annotated[
    str, typer.Option("--format", help="Comma-separated formats of --figures: svg, pdf, png.")
]
Episodes = Annotated[
    int, typer.Option(help="Number of hard, easy and disputed episodes each; 0 for none.")
]


def report(  # noqa: PLR0913 (one argument per option)
    runs: Runs,
    out: Page = None,
    figures: Figures = None,
    formats: Formats = "svg,pdf",
    baseline: Baseline = None,
    confidence: Confidence = 0.95,
    episodes: Episodes = 2,
    columns: Columns = None,
    rename: Rename = None,
    order: Order = None,
    table: TableLayout = None,
    trust: Trust = False,
    quiet: Quiet = False,
) -> None:
    """Write an HTML report of finished runs: table, plots, confusions and an episode viewer."""
    from functools import partial

    from fsarbench.experiments.reload import reload_run
    from fsarbench.report.comparison.arrangement import from_options
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
        arranged=from_options(columns, rename, order, table),
        quiet=quiet,
    )


def episode(
    runs: Runs,
    numbers: Annotated[
        list[int], typer.Option("--index", "-i", help="Number of the episode; repeatable.")
    ],
    out: Annotated[str, typer.Option("--out", "-o", help="HTML file.")] = "episode.html",
    trust: Trust = False,
    quiet: Quiet = False,
) -> None:
    """Write an HTML page of a test episode: frames, scores and explanations of the matcher."""
    from functools import partial

    from fsarbench.experiments.reload import reload_run
    from fsarbench.report.html.report import episode as make
    from fsarbench.runtime.progress import ProgressBars

    make(runs, numbers, out, partial(reload_run, trust=trust), ProgressBars(quiet=quiet))
