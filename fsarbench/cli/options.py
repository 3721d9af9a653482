"""Arguments and options that several commands share."""

from typing import Annotated, no_type_check

import typer

from fsarbench.runtime.progress import silence

ConfigPath = Annotated[
    str,
    typer.Argument(metavar="CONFIG", help="Config file, or name of a config of the package."),
]
ModelConfig = Annotated[
    str,
    typer.Argument(
        metavar="CONFIG",
        help="Config file, name of a config of the package, or hub:OWNER/NAME[@REVISION].",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a config key; SLOT.type=NAME replaces the component. Repeatable.",
    ),
]
Device = Annotated[
    str | None, typer.Option(help="cpu, cuda, cuda:1, ...; by default a GPU if there is one.")
]


# typer passes an object of a base class of typer.Context, which a type checker would reject.
@no_type_check
def _silence(context: typer.Context, quiet: bool) -> bool:
    # Until the command ends, because progress bars are created in many modules.
    context.with_resource(silence(quiet))
    return quiet


Quiet = Annotated[bool, typer.Option(help="Show no progress.", callback=_silence)]
CacheFrames = Annotated[
    bool,
    typer.Option(
        "--cache-frames",
        help="Decode every video once into a frame store, and read from it; equal results.",
    ),
]
Runs = Annotated[
    list[str],
    typer.Argument(metavar="RUN...", help="Folders of runs, or folders that contain them."),
]
Baseline = Annotated[
    str | None, typer.Option(help="Folder or name of a run; adds paired differences from it.")
]
Confidence = Annotated[float, typer.Option(help="Confidence level of intervals and tests.")]
Columns = Annotated[
    str | None,
    typer.Option(metavar="NAME,...", help="Columns in their order; the method is always first."),
]
Rename = Annotated[
    list[str] | None, typer.Option(metavar="OLD=NEW", help="New name of a row. Repeatable.")
]
Order = Annotated[
    str | None, typer.Option(metavar="NAME,...", help="Rows to show first, in this order.")
]
TableLayout = Annotated[
    str | None,
    typer.Option(
        "--layout",
        metavar="FILE",
        help="TOML file with columns, rename and order; options replace its values.",
    ),
]
