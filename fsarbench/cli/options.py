"""Arguments that several verbs share."""

from typing import Annotated, no_type_check

import typer

from fsarbench.runtime.progress import silence

ConfigPath = Annotated[
    str,
    typer.Argument(metavar="CONFIG", help="A config file, or the name of a config of the package."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a key; slot.type=X replaces the part."
    ),
]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, ...")]


# typer hands over its base class of the Context that it wants to see here.
@no_type_check
def _silence(context: typer.Context, quiet: bool) -> bool:
    # For as long as the verb runs: data sets are made, and videos decoded, far below it.
    context.with_resource(silence(quiet))
    return quiet


Quiet = Annotated[bool, typer.Option(help="No progress.", callback=_silence)]
