"""The table that `fsarbench check` prints: one row a slot."""

from collections.abc import Sequence

from rich.table import Table

from fsarbench.config.loading import Loaded
from fsarbench.profiling.parameters import Part
from fsarbench.runtime.console import terminal


def print_parts(config: Loaded, rows: Sequence[Part]) -> None:
    """Print what a config is made of, with tuned and total parameters."""
    for line in dropped(config):
        print(line)
    table = Table(title=config.name)
    for header, justify in (
        ("slot", "left"),
        ("component", "left"),
        ("tuned", "right"),
        ("total", "right"),
    ):
        table.add_column(header, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(row.slot, row.component, f"{row.tuned:,}", f"{row.total:,}")
    table.add_section()
    table.add_row("all", "", f"{sum(r.tuned for r in rows):,}", f"{sum(r.total for r in rows):,}")
    terminal().print(table)


def dropped(config: Loaded) -> list[str]:
    """A line for each part that the command line replaced, naming the keys that it left behind."""
    return [
        f"--set {slot}.type: dropped {', '.join(f'{slot}.{key}' for key in keys)}"
        for slot, keys in config.dropped.items()
        if keys
    ]
