"""What `fsarbench list` and `fsarbench show` print, from the cards and the names of configs."""

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
    components_of_slot,
    methods,
    named,
)
from fsarbench.catalogue.config_variants import config_names, is_composed, other_names, source
from fsarbench.catalogue.package_data import resource
from fsarbench.catalogue.published_results import results_of, task_name
from fsarbench.config.bases import bases
from fsarbench.report.published_table import yes_no
from fsarbench.runtime.progress import make_console

Sections = Iterator[tuple[str, Sequence[str | Text | Padding]]]


def print_list(slot: str | None) -> None:
    """One row per component, method or config: slot, name, what it is.

    On a terminal a slot is named once; in a pipe, where rows are taken one by one, in each row.
    """
    console = make_console()
    table = Table("slot", "name", "what it is", box=None, pad_edge=False)
    table.columns[1].no_wrap = True
    before = None
    for here, name, text in config_rows() if slot == CONFIG else card_rows(slot):
        shown = here if here != before or not console.is_terminal else ""
        table.add_row(shown, Text(name, style="bold"), Text(text))
        before = here
    console.print(table)


def card_rows(slot: str | None) -> Iterator[tuple[str, str, str]]:
    """Slot, name and summary of the components and methods; of one slot, or of all."""
    for card in components_of_slot(slot):
        here = METHOD if isinstance(card, MethodCard) else card.slot
        yield here, card.name, summary(card)


def config_rows() -> Iterator[tuple[str, str, str]]:
    """The names of all configs that the package carries or composes, with their bases."""
    folder = resource("configs")
    for name in [*config_names(), *other_names()]:
        file = folder / f"{name}.py"
        _, names = bases(ast.parse(source(file))) or (None, [])
        kind = "composed" if is_composed(file) else "file"
        parts = ", ".join(base.removeprefix("_base_/").removesuffix(".py") for base in names)
        yield CONFIG, name, f"{kind}: {parts}"


def summary(card: Card | MethodCard) -> str:
    """One line, with the method's own spelling or the package that brings the component."""
    if isinstance(card, MethodCard):
        return f"{card.title}: {card.summary}"
    return f"{card.summary} [{card.origin}]" if card.origin else card.summary


def print_card(name: str) -> None:
    """The card of a component, of a method, or of both where they share a name."""
    console = make_console()
    for card in named(name):
        here = METHOD if isinstance(card, MethodCard) else card.slot
        console.print(Text.assemble((card.name, "bold"), f" ({here}): {summary(card)}"))
        print_sections(
            console, method_sections(card) if isinstance(card, MethodCard) else sections(card)
        )


def print_sections(console: Console, found: Sections) -> None:
    """Indented lines under headings; a heading without lines is left out."""
    for heading, lines in found:
        if lines:
            console.print(Text(f"\n{heading}", style="bold"))
            for line in lines:
                shown = Text(line) if isinstance(line, str) else line
                console.print(Padding(shown, (0, 0, 0, 2), expand=False))
    console.print()


def sections(card: Card) -> Sections:
    """The headings of a component's card with their lines."""
    yield "Paper", [card.paper] if card.paper else []
    yield "Equation (LaTeX)", card.equation
    yield "Arguments", arguments(card)
    yield "Arguments of the released code", [f"{k} = {v!r}" for k, v in card.released.items()]
    yield "Properties", properties(card)
    yield "What differs from the authors' code, or rests on no printed fact", card.differs
    yield "Data that known weights were trained on", [seen_line(d) for d in card.seen_data]
    yield "Published results", list(published_rows(card.published))
    yield "Methods (fsarbench show NAME lists their published results)", used_by(card)
    yield "Package", [card.origin] if card.origin else []
    yield "Card", [str(card.file)]


def seen_line(seen: Mapping[str, Any]) -> str:
    """Training data of weights in one line."""
    labels = "" if seen["labels"] else " (without labels)"
    return f"{', '.join(seen['weights'])}: {', '.join(seen['data'])}{labels}"


def used_by(card: Card) -> list[str]:
    """The methods whose configs name a component."""
    names = [method.name for method in methods() if card.name in method.parts.get(card.slot, [])]
    return [", ".join(names)] if names else []


def arguments(card: Card) -> list[str]:
    """The constructor's arguments with their defaults."""
    return [
        *(f"{name} (required)" for name in card.required),
        *(f"{name} = {value!r}" for name, value in card.defaults.items()),
        *(f"{name} = None" for name in card.optional),
        *(f"{name} (filled in by the assembly)" for name in card.offered),
    ]


def properties(card: Card) -> list[str]:
    """What a comparison has to know."""
    lines = [
        f"text of the classes: {'used' if card.uses_text else 'not used'}",
        f"transductive: {'yes' if card.transductive else 'no'}",
    ]
    if card.identity_at_start is not None:
        start = "as the plain backbone" if card.identity_at_start else "unlike the plain backbone"
        lines.append(f"at initialisation: {start}")
    return lines


def method_sections(card: MethodCard) -> Sections:
    """The headings of a method's card with their lines."""
    yield "Paper", [card.paper]
    yield "Parts", [f"{slot}: {', '.join(names)}" for slot, names in card.parts.items()]
    yield "Properties", method_properties(card)
    yield "What differs from paper or authors' code, and what is ours", card.differs
    yield "Licence of the authors' code", [card.licence] if card.licence else []
    yield "Configs", [", ".join(card.configs)] if card.configs else []
    yield "How the published results were obtained", [card.evidence] if card.evidence else []
    yield "Published results", list(published_rows([asdict(r) for r in results_of(card)]))
    yield "Card", [str(card.file)]


def method_properties(card: MethodCard) -> list[str]:
    """What a comparison has to know."""
    uses = [("in training", card.names_in_training), ("at test", card.names_at_test)]
    where = " and ".join(place for place, used in uses if used)
    return [
        f"class names: {f'used {where}' if where else 'not used'}",
        f"transductive: {'yes' if card.transductive else 'no'}",
    ]


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
