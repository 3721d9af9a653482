"""Commands of `fsarbench data`."""

from typing import Annotated

import typer

from fsarbench.cli.options import Overrides, Quiet

data = typer.Typer(no_args_is_help=True, help="Data sets.")
DataName = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of a data set, a config, or a folder of videos.")
]

ImportName = Annotated[
    str,
    typer.Argument(
        help="ssv2, ssv2small, kinetics100, hmdb51, ucf101, folder, or, with --annotations, a name "
        "of your choice."
    ),
]
Annotations = Annotated[
    list[str] | None,
    typer.Option(
        help="CSV, JSON or text file of videos and classes; --splits is then a CSV file of "
        "classes. Repeatable."
    ),
]


@data.command()
def build(
    name: Annotated[str, typer.Argument(help="synthact or strokes.")],
    workers: Annotated[
        int | None, typer.Option(help="Number of processes; one per core by default.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Render a built-in data set ahead of the first run."""
    del quiet  # The option is applied globally, before the command runs.
    from fsarbench.data.datasets.synthetic import Strokes, SynthAct
    from fsarbench.errors import UserError, nearest

    builtin = {"synthact": SynthAct, "strokes": Strokes}
    if name not in builtin:
        raise UserError(f"Unknown built-in data set '{name}'.{nearest(name, builtin)}")
    splits = builtin[name](workers=workers).splits()
    for split in splits.values():
        print(f"{name} {split.name}: {len(split.classes)} classes, {len(split.videos)} videos")
    print(f"in {splits['train'].videos[0].path.parents[1]}")


@data.command("check")
def check_data(
    name: DataName,
    overrides: Overrides = None,
    out: Annotated[str | None, typer.Option(help="CSV file for the list of bad videos.")] = None,
    workers: Annotated[int, typer.Option(help="Number of decoding processes.")] = 2,
    time_limit: Annotated[float, typer.Option(help="Time limit per video in seconds.")] = 60.0,
    min_frames: Annotated[int, typer.Option(help="Report videos with fewer frames.")] = 8,
    quiet: Quiet = False,
) -> None:
    """Decode every video and list the bad ones; resumable. Exit status 1 if any video is bad."""
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
        str, typer.Option(help="Maximum short side of stored frames in pixels, or none.")
    ] = "256",
    layout: Annotated[
        str, typer.Option("--format", help="raw (fastest) or jpeg (smallest).")
    ] = "raw",
    out: Annotated[
        str | None,
        typer.Option(help="Folder of the store; by default inside the folder of videos."),
    ] = None,
    workers: Annotated[int, typer.Option(help="Number of decoding processes.")] = 2,
    quiet: Quiet = False,
) -> None:
    """Decode every video once into a frame store; resumable. Exit status 1 if a video fails."""
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
        str, typer.Option(help="Image file for the sampled clips.")
    ] = "contact_sheet.png",
    classes: Annotated[int, typer.Option(help="Clips per split in the image.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed for sampling clips.")] = 0,
) -> None:
    """Summarise a data set: counts, class sizes, durations, and an image of sampled clips."""
    from pathlib import Path

    from fsarbench.cli.data_info import run_info
    from fsarbench.config.named_datasets import named_dataset, named_reader

    dataset = named_dataset(name, overrides or ())
    run_info(dataset, named_reader(name, overrides or ()), Path(sheet), classes, seed)


@data.command("import")
def import_(  # noqa: PLR0913 (one argument per option)
    name: ImportName,
    folder: Annotated[
        str | None, typer.Argument(metavar="DIR", help="Folder of your own videos.")
    ] = None,
    splits: Annotated[
        str | None,
        typer.Option(help="Folder of the split lists; for your own videos, a split file."),
    ] = None,
    videos: Annotated[str | None, typer.Option(help="Folder of the videos.")] = None,
    labels: Annotated[
        list[str] | None, typer.Option(help="Label file of SSv2, or a folder of them; repeatable.")
    ] = None,
    annotations: Annotations = None,
    out: Annotated[str | None, typer.Option(help="Annotation table to write.")] = None,
    seed: Annotated[int, typer.Option(help="Your own videos: seed for splitting the classes.")] = 0,
    shares: Annotated[
        str, typer.Option(help="Your own videos: proportions of train, val and test.")
    ] = "64/12/24",
) -> None:
    """Write an annotation table from published split lists, or a split file for your own videos."""
    from fsarbench.cli.data_import import run_import

    run_import(
        name,
        folder,
        splits=splits,
        videos=videos,
        labels=labels or (),
        annotations=annotations or (),
        out=out,
        seed=seed,
        shares=shares,
    )


@data.command("intersect")
def intersect_tables(
    first: Annotated[str, typer.Argument(metavar="A.csv", help="Annotation table.")],
    second: Annotated[str, typer.Argument(metavar="B.csv", help="Annotation table.")],
    out: Annotated[
        str, typer.Option("--out", "-o", help="Annotation table to write.")
    ] = "shared.csv",
) -> None:
    """Write the videos that two annotation tables share, with the paths of the first one."""
    from pathlib import Path

    from fsarbench.data.importing.intersect import intersect
    from fsarbench.data.splits import SPLITS

    shared = intersect(Path(first), Path(second), Path(out))
    for split in SPLITS:
        count, one, other = shared.count(split), shared.first[split], shared.second[split]
        print(f"{split}: {count:,} videos shared, {count / one:.1%} of A, {count / other:.1%} of B")
    if shared.moved:
        print(f"{len(shared.moved)} videos are in different splits and left out")
    print(f"written to {out}; use it with dataset.annotations={out}")
