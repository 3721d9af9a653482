"""The verbs of the command line; what they do is elsewhere, imported when a verb is used."""

import os
import sys
from typing import Annotated

import typer

from fsarbench.errors import UserError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Few-shot action recognition: interchangeable parts, one evaluator.",
)
data = typer.Typer(no_args_is_help=True, help="Data sets.")
app.add_typer(data, name="data")

ConfigPath = Annotated[
    str,
    typer.Argument(metavar="CONFIG", help="A config file, or the name of one that comes along."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a key; slot.type=X replaces the part."
    ),
]


@app.command()
def check(config: ConfigPath, overrides: Overrides = None) -> None:
    """Report everything that is wrong with a config; run one episode without data or weights."""
    from fsarbench import contracts

    contracts.enforce()
    from fsarbench.check import check as check_config
    from fsarbench.config import load
    from fsarbench.dry_run import dry_run
    from fsarbench.report.parts import print_parts

    loaded = load(config, overrides or ())
    check_config(loaded)
    print_parts(loaded, dry_run(loaded.values))


@app.command()
def run(
    config: ConfigPath,
    overrides: Overrides = None,
    name: Annotated[
        str | None, typer.Option(help="What the run is called; the config's name by default.")
    ] = None,
    work_dir: Annotated[
        str | None, typer.Option(help="Where results go; runs/NAME, numbered, by default.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, ...")] = None,
    resume: Annotated[bool, typer.Option(help="Go on with the run in --work-dir.")] = False,
    quiet: Annotated[bool, typer.Option(help="No progress.")] = False,
) -> None:
    """Train and test a config, print its result and write it to the work folder."""
    from fsarbench.job import Options
    from fsarbench.job import run as run_job

    options = Options(name=name, work_dir=work_dir, device=device, resume=resume, quiet=quiet)
    run_job(config, overrides or (), options)


@app.command()
def compare(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Folders of runs, or folders of these.")
    ],
    baseline: Annotated[
        str | None, typer.Option(help="Run or name: adds paired differences to it.")
    ] = None,
    published: Annotated[bool, typer.Option(help="Add what papers report.")] = False,
    confidence: Annotated[float, typer.Option(help="Of intervals and tests.")] = 0.95,
    layout: Annotated[
        str | None, typer.Option("--format", help="markdown, latex, csv or json.")
    ] = None,
    out: Annotated[str | None, typer.Option("--out", "-o", help="The file to write.")] = None,
) -> None:
    """Put finished runs into one table, with intervals and tests on the same episodes."""
    from fsarbench.report.compare import Options
    from fsarbench.report.compare import compare as compare_runs

    options = Options(
        baseline=baseline, published=published, confidence=confidence, layout=layout, out=out
    )
    compare_runs(runs, options)


@app.command("list")
def list_(
    slot: Annotated[
        str | None, typer.Argument(help="Only the parts of this slot; 'method' for the methods.")
    ] = None,
) -> None:
    """List the parts that configs can name, and the methods that configs are there for."""
    from fsarbench.report.catalogue import print_list

    print_list(slot)


@app.command()
def show(name: Annotated[str, typer.Argument(help="The name of a part or a method.")]) -> None:
    """Show the card of a part or a method: paper, arguments, configs, what differs from it."""
    from fsarbench.report.catalogue import print_card

    print_card(name)


@data.command()
def build(
    name: Annotated[str, typer.Argument(help="synthact or strokes.")],
    workers: Annotated[int | None, typer.Option(help="Processes; all cores by default.")] = None,
) -> None:
    """Make a built-in data set ahead of the first run."""
    from fsarbench.data.builtin import build_builtin

    build_builtin(name, workers)


DataName = Annotated[
    str, typer.Argument(metavar="NAME", help="A data set's name, a config, or a folder of videos.")
]


@data.command("check")
def check_data(
    name: DataName,
    overrides: Overrides = None,
    out: Annotated[str | None, typer.Option(help="The list of bad videos to write.")] = None,
    workers: Annotated[int, typer.Option(help="Processes that decode.")] = 2,
    time_limit: Annotated[float, typer.Option(help="Seconds a video.")] = 60.0,
    min_frames: Annotated[int, typer.Option(help="Fewer frames are reported.")] = 8,
    quiet: Annotated[bool, typer.Option(help="No progress.")] = False,
) -> None:
    """Open every video, resumable, and list the bad ones; exit status 1 if there are some."""
    from fsarbench.data.checking.check import CheckSettings
    from fsarbench.data.checking.verb import run_check
    from fsarbench.named_data import named_source

    settings = CheckSettings(
        workers=workers, limit=time_limit, min_frames=min_frames, progress=not quiet
    )
    if run_check(named_source(name, overrides or ()), out, settings):
        raise typer.Exit(1)


@data.command("info")
def info_data(
    name: DataName,
    overrides: Overrides = None,
    sheet: Annotated[
        str, typer.Option(help="The picture of sampled clips to write.")
    ] = "contact_sheet.png",
    classes: Annotated[int, typer.Option(help="Clips of each split on it.")] = 5,
    seed: Annotated[int, typer.Option(help="Draws other clips.")] = 0,
) -> None:
    """Say what is in a data set: counts, class sizes, durations, and a picture of some clips."""
    from pathlib import Path

    from fsarbench.data.info import run_info
    from fsarbench.named_data import named_dataset, named_reader

    dataset = named_dataset(name, overrides or ())
    run_info(dataset, named_reader(name, overrides or ()), Path(sheet), classes, seed)


@data.command("import")
def import_(
    name: Annotated[
        str, typer.Argument(help="ssv2, ssv2small, kinetics100, hmdb51, ucf101, or folder.")
    ],
    folder: Annotated[
        str | None, typer.Argument(metavar="DIR", help="The folder of own videos.")
    ] = None,
    splits: Annotated[
        str | None, typer.Option(help="The folder of the lists; for own videos a split file.")
    ] = None,
    videos: Annotated[str | None, typer.Option(help="The folder of the videos.")] = None,
    labels: Annotated[
        list[str] | None, typer.Option(help="SSv2's own label file, or their folder; repeatable.")
    ] = None,
    out: Annotated[str | None, typer.Option(help="The table to write.")] = None,
    seed: Annotated[int, typer.Option(help="Own videos: divides the classes otherwise.")] = 0,
    shares: Annotated[
        str, typer.Option(help="Own videos: parts of train, val and test.")
    ] = "64/12/24",
) -> None:
    """Make the table of a data set from the field's lists, or of own videos from their folders."""
    from fsarbench.data.importing.verb import Options, run_import

    options = Options(
        splits=splits, videos=videos, labels=labels or (), out=out, seed=seed, shares=shares
    )
    run_import(name, folder, options)


def main() -> None:
    """Run the command line; what a user can mend ends with exit status 2 and one message."""
    # OpenMP's threads spin while they wait. Beside decoding workers, or on a shared machine, they
    # then starve each other: matching was 20 times slower so. It has to be set before torch loads.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app()
    except UserError as error:
        print(f"fsarbench: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("fsarbench: interrupted", file=sys.stderr)
        sys.exit(130)
