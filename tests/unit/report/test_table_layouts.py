"""Tables on narrow terminals: whole names, whole numbers, several tables."""

from io import StringIO

import pytest
from rich.console import Console

from fsarbench.report.table_layouts import CutTable, Heading

HEADINGS = [Heading("config", number=False), *(Heading(f"number {n}") for n in range(6))]
NAME = "a_name_without_any_place_to_break"
ROWS = [[NAME, *("1,234,567 (0.99)",) * 6], ["short", *("[bold]1[/bold]",) * 6]]


def lines(width: int) -> list[str]:
    out = StringIO()
    Console(file=out, width=width).print(CutTable(HEADINGS, ROWS, "title"))
    return out.getvalue().splitlines()


@pytest.mark.parametrize(("width", "tables"), [(1000, 1), (80, 3), (60, 6)])
def test_every_part_has_the_names_and_no_number_is_broken(width: int, tables: int) -> None:
    shown = lines(width)
    assert max(map(len, shown)) <= width
    assert sum(NAME in line for line in shown) == tables
    assert sum(line.count("1,234,567 (0.99)") for line in shown) == 6
    assert sum("title" in line for line in shown) == 1
