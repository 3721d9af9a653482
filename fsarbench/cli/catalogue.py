"""`fsarbench list`, `fsarbench show`, `fsarbench config` and `fsarbench published`."""

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


def published(
    dataset: Annotated[
        str | None, typer.Option(help="Only this data set, such as ssv2-full.")
    ] = None,
    way: Annotated[int | None, typer.Option(help="Only tasks with this number of classes.")] = None,
    shot: Annotated[
        int | None, typer.Option(help="Only tasks with this number of support videos per class.")
    ] = None,
    method: Annotated[str | None, typer.Option(help="Only this method.")] = None,
    layout: Annotated[
        str | None, typer.Option("--format", help="markdown, latex, csv or json.")
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="File to write; printed by default.")
    ] = None,
) -> None:
    """List published results with their protocols and sources."""
    from pathlib import Path

    from fsarbench.catalogue.published_results import published_results, select
    from fsarbench.report.published_table import WRITERS, terminal_table
    from fsarbench.report.table_layouts import layout_of
    from fsarbench.runtime.atomic_files import write_text
    from fsarbench.runtime.progress import make_console

    chosen_layout = layout_of(layout, out)
    results = select(published_results(), dataset=dataset, way=way, shot=shot, method=method)
    if chosen_layout is None:
        make_console().print(terminal_table(results))
    elif out is None:
        print(WRITERS[chosen_layout](results), end="")
    else:
        write_text(Path(out), WRITERS[chosen_layout](results))
