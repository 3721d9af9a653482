"""Tables on narrow terminals are split without breaking names or numbers."""

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
def test_every_table_has_the_names_and_no_number_is_broken(width: int, tables: int) -> None:
    printed = lines(width)
    assert max(map(len, printed)) <= width
    assert sum(NAME in line for line in printed) == tables
    assert sum(line.count("1,234,567 (0.99)") for line in printed) == 6
    assert sum("title" in line for line in printed) == 1
