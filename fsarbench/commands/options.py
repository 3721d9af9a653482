"""Arguments that several verbs share."""

from typing import Annotated

import typer

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
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, ...")]
Quiet = Annotated[bool, typer.Option(help="No progress.")]
