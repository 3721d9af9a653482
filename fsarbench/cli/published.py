"""`fsarbench published`."""

from typing import Annotated

import typer


def published(
    dataset: Annotated[
        str | None, typer.Option(help="Only this data set, such as ssv2-full.")
    ] = None,
    way: Annotated[int | None, typer.Option(help="Only tasks of this many classes.")] = None,
    shot: Annotated[
        int | None, typer.Option(help="Only tasks of this many support videos per class.")
    ] = None,
    method: Annotated[str | None, typer.Option(help="Only this method.")] = None,
    layout: Annotated[
        str | None, typer.Option("--format", help="markdown, latex, csv or json.")
    ] = None,
    out: Annotated[str | None, typer.Option("--out", "-o", help="The file to write.")] = None,
) -> None:
    """List the published results of the field, with how each was obtained and its source."""
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
