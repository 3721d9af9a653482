"""`fsarbench data ...`."""

from typing import Annotated

import typer

from fsarbench.cli.options import Overrides, Quiet

data = typer.Typer(no_args_is_help=True, help="Data sets.")
DataName = Annotated[
    str, typer.Argument(metavar="NAME", help="A data set's name, a config, or a folder of videos.")
]


@data.command()
def build(
    name: Annotated[str, typer.Argument(help="synthact or strokes.")],
    workers: Annotated[int | None, typer.Option(help="Processes; all cores by default.")] = None,
    quiet: Quiet = False,
) -> None:
    """Make a built-in data set ahead of the first run."""
    del quiet  # The option silences whatever the verb does.
    from fsarbench.cli.data_build import build_builtin

    build_builtin(name, workers)


@data.command("check")
def check_data(
    name: DataName,
    overrides: Overrides = None,
    out: Annotated[str | None, typer.Option(help="The list of bad videos to write.")] = None,
    workers: Annotated[int, typer.Option(help="Processes that decode.")] = 2,
    time_limit: Annotated[float, typer.Option(help="Time limit per video in seconds.")] = 60.0,
    min_frames: Annotated[int, typer.Option(help="Fewer frames are reported.")] = 8,
    quiet: Quiet = False,
) -> None:
    """Open every video, resumable, and list the bad ones; exit status 1 if there are some."""
    from fsarbench.cli.data_check import run_check
    from fsarbench.config.named_datasets import named_source
    from fsarbench.data.checking.check_videos import CheckSettings

    settings = CheckSettings(
        workers=workers, limit=time_limit, min_frames=min_frames, progress=not quiet
    )
    if run_check(named_source(name, overrides or ()), out, settings):
        raise typer.Exit(1)


@data.command()
def cache(
    name: DataName,
    overrides: Overrides = None,
    size: Annotated[
        str, typer.Option(help="Short side that larger frames are made smaller to, or none.")
    ] = "256",
    layout: Annotated[
        str, typer.Option("--format", help="raw (fastest), or jpeg (a fraction of the bytes).")
    ] = "raw",
    out: Annotated[
        str | None, typer.Option(help="The folder of the store; beside the videos by default.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that decode.")] = 2,
    quiet: Quiet = False,
) -> None:
    """Decode every video once into a store, resumable; exit status 1 if one cannot be decoded."""
    from fsarbench.cli.data_cache import run_cache, store_settings
    from fsarbench.config.named_datasets import named_reader, named_source

    settings = store_settings(size, layout)
    source, reader = named_source(name, overrides or ()), named_reader(name, overrides or ())
    if run_cache(source, reader, settings, out, workers):
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

    from fsarbench.cli.data_info import run_info
    from fsarbench.config.named_datasets import named_dataset, named_reader

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
    from fsarbench.cli.data_import import Options, run_import

    options = Options(
        splits=splits, videos=videos, labels=labels or (), out=out, seed=seed, shares=shares
    )
    run_import(name, folder, options)
