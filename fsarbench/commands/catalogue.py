"""`fsarbench list` and `fsarbench show`."""

from typing import Annotated

import typer


def list_(
    slot: Annotated[
        str | None, typer.Argument(help="Only the parts of this slot; 'method' for the methods.")
    ] = None,
) -> None:
    """List the parts that configs can name, and the methods that configs are there for."""
    from fsarbench.report.catalogue import print_list

    print_list(slot)


def show(name: Annotated[str, typer.Argument(help="The name of a part or a method.")]) -> None:
    """Show the card of a part or a method: paper, arguments, configs, what differs from it."""
    from fsarbench.report.catalogue import print_card

    print_card(name)
