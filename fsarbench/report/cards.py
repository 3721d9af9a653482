"""Output of `fsarbench list` and `fsarbench show`."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fsarbench.catalogue.cards import (
    CONFIG,
    METHOD,
    Card,
    MethodCard,
    cards_named,
    components_of_slot,
    methods,
)
from fsarbench.catalogue.config_variants import config_names, is_composed, other_names, source
from fsarbench.catalogue.package_data import resource
from fsarbench.catalogue.published_results import results_of, task_name
from fsarbench.config.bases import bases
from fsarbench.report.published_table import yes_no
from fsarbench.runtime.progress import make_console

Sections = Iterator[tuple[str, Sequence[str | Text | Padding]]]


def print_list(slot: str | None) -> None:
    """Print one row per component, method or config: slot, name and summary.

    On a terminal, a slot is printed only in its first row; in a pipe, it is printed in every row.
    """
    console = make_console()
    table = Table("slot", "name", "summary", box=None, pad_edge=False)
    table.columns[1].no_wrap = True
    previous = None
    for row_slot, name, text in config_rows() if slot == CONFIG else card_rows(slot):
        first = row_slot != previous or not console.is_terminal
        table.add_row(row_slot if first else "", Text(name, style="bold"), Text(text))
        previous = row_slot
    console.print(table)


def slot_of(card: Card | MethodCard) -> str:
    """Slot of a card, or `method`."""
    return METHOD if isinstance(card, MethodCard) else card.slot


def card_rows(slot: str | None) -> Iterator[tuple[str, str, str]]:
    """Yield slot, name and summary of the components and methods of one slot or of all slots."""
    for card in components_of_slot(slot):
        yield slot_of(card), card.name, summary(card)


def config_rows() -> Iterator[tuple[str, str, str]]:
    """Yield name and bases of all configs of the package, from files and composed."""
    folder = resource("configs")
    for name in [*config_names(), *other_names()]:
        file = folder / f"{name}.py"
        _, names = bases(ast.parse(source(file))) or (None, [])
        origin = "composed" if is_composed(file) else "file"
        listed = ", ".join(base.removeprefix("_base_/").removesuffix(".py") for base in names)
        yield CONFIG, name, f"{origin}: {listed}"


def summary(card: Card | MethodCard) -> str:
    """Summary in one line, with the title of a method or the package of a component."""
    if isinstance(card, MethodCard):
        return f"{card.title}: {card.summary}"
    return f"{card.summary} [{card.origin}]" if card.origin else card.summary


def print_card(name: str) -> None:
    """Print the cards of all components and methods with this name."""
    console = make_console()
    for card in cards_named(name):
        console.print(Text.assemble((card.name, "bold"), f" ({slot_of(card)}): {summary(card)}"))
        print_sections(
            console, method_sections(card) if isinstance(card, MethodCard) else sections(card)
        )


def print_sections(console: Console, sections: Sections) -> None:
    """Print headings with indented lines; headings without lines are omitted."""
    for heading, lines in sections:
        if lines:
            console.print(Text(f"\n{heading}", style="bold"))
            for line in lines:
                text = Text(line) if isinstance(line, str) else line
                console.print(Padding(text, (0, 0, 0, 2), expand=False))
    console.print()


def sections(card: Card) -> Sections:
    """Yield the headings and lines of a component's card."""
    yield "Paper", [card.paper] if card.paper else []
    yield "Equation (LaTeX)", card.equation
    yield "Arguments", arguments(card)
    yield "Arguments of the released code", [f"{k} = {v!r}" for k, v in card.released.items()]
    yield "Properties", properties(card)
    yield "Differences from the authors' code, and choices not stated in the paper", card.differs
    yield "Training data of known weights", [seen_line(d) for d in card.seen_data]
    yield "Published results", list(published_rows(card.published))
    yield "Methods (fsarbench show NAME lists their published results)", used_by(card)
    yield "Package", [card.origin] if card.origin else []
    yield "Card", [str(card.file)]


def seen_line(seen: Mapping[str, Any]) -> str:
    """Names of weights and their training data in one line."""
    labels = "" if seen["labels"] else " (without labels)"
    return f"{', '.join(seen['weights'])}: {', '.join(seen['data'])}{labels}"


def used_by(card: Card) -> list[str]:
    """Methods whose configs use a component."""
    names = [method.name for method in methods() if card.name in method.parts.get(card.slot, [])]
    return [", ".join(names)] if names else []


def arguments(card: Card) -> list[str]:
    """Arguments of the constructor with their defaults."""
    return [
        *(f"{name} (required)" for name in card.required),
        *(f"{name} = {value!r}" for name, value in card.defaults.items()),
        *(f"{name} = None" for name in card.optional),
        *(f"{name} (filled in when the model is built)" for name in card.offered),
    ]


def properties(card: Card) -> list[str]:
    """Properties of a component that matter for a comparison."""
    lines = [
        f"class names: {'used' if card.uses_text else 'not used'}",
        f"transductive: {'yes' if card.transductive else 'no'}",
    ]
    if card.identity_at_start is not None:
        features = "those of" if card.identity_at_start else "different from"
        lines.append(f"features at initialisation: {features} the plain backbone")
    return lines


def method_sections(card: MethodCard) -> Sections:
    """Yield the headings and lines of a method's card."""
    yield "Paper", [card.paper]
    yield "Components", [f"{slot}: {', '.join(names)}" for slot, names in card.parts.items()]
    yield "Properties", method_properties(card)
    yield "Differences from the paper or the authors' code, and choices of fsarbench", card.differs
    yield "Licence of the authors' code", [card.licence] if card.licence else []
    yield "Configs", [", ".join(card.configs)] if card.configs else []
    yield "Protocol of the published results", [card.evidence] if card.evidence else []
    yield "Published results", list(published_rows([asdict(r) for r in results_of(card)]))
    yield "Card", [str(card.file)]


def method_properties(card: MethodCard) -> list[str]:
    """Properties of a method that matter for a comparison."""
    phases = [("in training", card.names_in_training), ("at test", card.names_at_test)]
    uses = " and ".join(phase for phase, used in phases if used)
    return [
        f"class names: {f'used {uses}' if uses else 'not used'}",
        f"transductive: {'yes' if card.transductive else 'no'}",
    ]


Result = Mapping[str, Any]
CONDITIONS = ("method", "backbone", "pretraining", "tuning", "note")


def conditions(result: Result) -> str:
    """Conditions of a published result: method, backbone, training, source and protocol."""
    listed = ", ".join(str(result[key]) for key in CONDITIONS if result.get(key))
    parts = (listed, str(result["source"]), protocol(result))
    return "; ".join(part for part in parts if part)


def protocol(result: Result) -> str:
    """Selection, text at test and transduction of a result; empty if its card has none."""
    if "selection" not in result:
        return ""
    return (
        f"selection: {result['selection']}, text at test: {result['text_at_test']}, "
        f"transductive: {yes_no(result['transductive'])}"
    )


def setting(result: Result) -> str:
    """Way and shot in words."""
    return task_name(result["way"], result["shot"])


def percentage(result: Result) -> str:
    """Accuracy of a result, with that of an independent rerun if there is one."""
    rerun = f" (rerun: {result['rerun']} %)" if result.get("rerun") else ""
    return f"{result['accuracy']} %{rerun}"


def command(result: Result) -> str:
    """Config of a result, with the override for `--set`; empty if there is no config."""
    return " --set ".join(str(result[key]) for key in ("config", "override") if result.get(key))


def grouped(results: Sequence[Result]) -> Iterator[tuple[str, list[Result]]]:
    """Yield the conditions and results of each group of equal conditions, in card order."""
    for heading, group in groupby(results, key=conditions):
        yield heading, list(group)


def published_rows(results: Sequence[Result]) -> Iterator[Text | Padding]:
    """Yield a heading for each group of equal conditions, followed by a table of its results."""
    for heading, group in grouped(results):
        yield Text(heading)
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for column in ("data set", "task", "accuracy", "config"):
            table.add_column(column, no_wrap=column != "config", overflow="fold")
        for result in group:
            cells = str(result["dataset"]), setting(result), percentage(result), command(result)
            table.add_row(*cells)
        yield Padding(table, (0, 0, 0, 2), expand=False)
