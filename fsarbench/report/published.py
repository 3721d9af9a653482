"""Published results on a card: common conditions as a heading, one line per task below it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fsarbench.catalogue.published_results import task_name

Result = Mapping[str, Any]
CONDITIONS = ("method", "backbone", "pretraining", "tuning", "note")


def conditions(result: Result) -> str:
    """Method, backbone and training, the source, and the protocol where it is stated."""
    named = ", ".join(str(result[key]) for key in CONDITIONS if result.get(key))
    parts = (named, str(result["source"]), protocol(result))
    return "; ".join(part for part in parts if part)


def protocol(result: Result) -> str:
    """Selection, text and transduction of a result; empty where its card states none."""
    if "selection" not in result:
        return ""
    return (
        f"selection: {result['selection']}, text at test: {result['text_at_test']}, "
        f"transductive: {yes_no(result['transductive'])}"
    )


def yes_no(value: object) -> str:
    """A Boolean in words; anything else as it is.

    Example:
        >>> yes_no(True), yes_no(False), yes_no("unknown")
        ('yes', 'no', 'unknown')
    """
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def setting(result: Result) -> str:
    """The kind of task."""
    return task_name(result["way"], result["shot"])


def percentage(result: Result) -> str:
    """The accuracy, and that of an independent rerun where there is one."""
    rerun = f" (rerun: {result['rerun']} %)" if result.get("rerun") else ""
    return f"{result['accuracy']} %{rerun}"


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
            cells = str(result["dataset"]), setting(result), percentage(result), command(result)
            table.add_row(*cells)
        yield Padding(table, (0, 0, 0, 2), expand=False)
