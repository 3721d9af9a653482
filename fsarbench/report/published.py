"""Published results as a table: what they have in common above, a line a setting below."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

Result = Mapping[str, object]
CONDITIONS = ("method", "backbone", "pretraining", "tuning", "note")


def conditions(result: Result) -> str:
    """What was measured, and where it is printed."""
    named = ", ".join(str(result[key]) for key in CONDITIONS if result.get(key))
    return f"{named}; {result['source']}" if named else str(result["source"])


def setting(result: Result) -> str:
    """The kind of task."""
    return f"{result['way']}-way {result['shot']}-shot"


def command(result: Result) -> str:
    """The config that stands for it, with what has to be set beside; empty if there is none."""
    return " --set ".join(str(result[key]) for key in ("config", "override") if result.get(key))


def grouped(results: Sequence[Result]) -> Iterator[tuple[str, list[Result]]]:
    """The results under their conditions, in the order of the card."""
    for heading, group in groupby(results, key=conditions):
        yield heading, list(group)


def published_rows(results: Sequence[Result]) -> Iterator[Text | Padding]:
    """A heading for each kind of conditions, and a table under it."""
    for heading, group in grouped(results):
        yield Text(heading)
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for column in ("data set", "task", "accuracy", "config"):
            table.add_column(column, no_wrap=column != "config", overflow="fold")
        for result in group:
            accuracy = f"{result['accuracy']} %"
            table.add_row(str(result["dataset"]), setting(result), accuracy, command(result))
        yield Padding(table, (0, 0, 0, 2), expand=False)
