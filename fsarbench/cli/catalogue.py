"""`fsarbench list`, `fsarbench show` and `fsarbench config`."""

from typing import Annotated

import typer

from fsarbench.cli.options import ConfigPath, Overrides


def list_(
    slot: Annotated[
        str | None,
        typer.Argument(
            help="Only the parts of this slot; 'method' for methods, 'config' for configs."
        ),
    ] = None,
) -> None:
    """List the parts that configs can name, and the methods that configs are there for."""
    from fsarbench.report.cards import print_list

    print_list(slot)


def show(name: Annotated[str, typer.Argument(help="The name of a part or a method.")]) -> None:
    """Show the card of a part or a method: paper, arguments, configs, what differs from it."""
    from fsarbench.report.cards import print_card

    print_card(name)


def config(
    config: ConfigPath,
    overrides: Overrides = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="The file to write, instead of printing.")
    ] = None,
) -> None:
    """Print a config with all bases and overrides applied, as a file that can be saved and run."""
    from pathlib import Path

    from fsarbench.config.loading import load_config
    from fsarbench.config.resolved import resolved_text
    from fsarbench.runtime.atomic_files import write_text

    text = resolved_text(load_config(config, overrides or ()))
    if out is None:
        print(text, end="")
    else:
        write_text(Path(out), text)
