"""`fsarbench list`, `fsarbench show` and `fsarbench config`."""

from typing import Annotated

import typer

from fsarbench.cli.options import ConfigPath, Overrides


def list_(
    slot: Annotated[
        str | None,
        typer.Argument(
            help="Only the components of this slot; 'method' for methods, 'config' for configs."
        ),
    ] = None,
) -> None:
    """List components and methods, or the configs of the package."""
    from fsarbench.report.cards import print_list

    print_list(slot)


def show(name: Annotated[str, typer.Argument(help="Name of a component or method.")]) -> None:
    """Show a component or method: paper, arguments, configs, and differences from the paper."""
    from fsarbench.report.cards import print_card

    print_card(name)


def config(
    config: ConfigPath,
    overrides: Overrides = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="File to write; printed by default.")
    ] = None,
) -> None:
    """Print a config with all bases and overrides merged; the output is a config file."""
    from pathlib import Path

    from fsarbench.config.loading import load_config
    from fsarbench.config.resolved import resolved_text
    from fsarbench.runtime.atomic_files import write_text

    text = resolved_text(load_config(config, overrides or ()))
    if out is None:
        print(text, end="")
    else:
        write_text(Path(out), text)
