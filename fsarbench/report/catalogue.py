"""What `fsarbench list` and `fsarbench show` print, from the cards alone."""

from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fsarbench.cards import METHOD, Card, MethodCard, named, of_slot

Sections = Iterator[tuple[str, list[str]]]


def print_list(slot: str | None) -> None:
    """One row a component or method: slot, name, what it is."""
    table = Table("slot", "name", "what it is", box=None, pad_edge=False)
    before = None
    for card in of_slot(slot):
        here = METHOD if isinstance(card, MethodCard) else card.slot
        table.add_row(here if here != before else "", card.name, escape(summary(card)))
        before = here
    Console().print(table)


def summary(card: Card | MethodCard) -> str:
    """One line, with the method's own spelling or the package that brings the component."""
    if isinstance(card, MethodCard):
        return f"{card.title}: {card.summary}"
    return f"{card.summary} [{card.origin}]" if card.origin else card.summary


def print_card(name: str) -> None:
    """The card of a component, of a method, or of both where they share a name."""
    for card in named(name):
        here = METHOD if isinstance(card, MethodCard) else card.slot
        Console().print(f"[bold]{card.name}[/bold] ({here}): {escape(summary(card))}")
        print_sections(method_sections(card) if isinstance(card, MethodCard) else sections(card))


def print_sections(found: Sections) -> None:
    """Plain lines under headings; a heading without lines is left out."""
    console = Console()
    for heading, lines in found:
        if lines:
            console.print(f"\n[bold]{heading}[/bold]")
            for line in lines:
                console.print(f"  {escape(line)}")
    console.print()


def sections(card: Card) -> Sections:
    """The headings of a component's card with their lines."""
    yield "Paper", [card.paper] if card.paper else []
    yield "Arguments", arguments(card)
    yield "Properties", properties(card)
    yield "What differs from the authors' code, or rests on no printed fact", card.differs
    yield "Published results", [published(result) for result in card.published]
    yield "Package", [card.origin] if card.origin else []
    yield "Card", [str(card.file)]


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
    yield "Configs", card.configs
    yield "Published results", [published(result) for result in card.published]
    yield "Card", [str(card.file)]


def method_properties(card: MethodCard) -> list[str]:
    """What a comparison has to know."""
    uses = [("in training", card.names_in_training), ("at test", card.names_at_test)]
    where = " and ".join(place for place, used in uses if used)
    return [
        f"class names: {f'used {where}' if where else 'not used'}",
        f"transductive: {'yes' if card.transductive else 'no'}",
    ]


def published(result: Mapping[str, object]) -> str:
    """One published number with its conditions, its source, and the config that stands for it."""
    keys = ("method", "backbone", "pretraining", "tuning", "note")
    conditions = ", ".join(str(result[key]) for key in keys if result.get(key))
    setting = f"{result['dataset']}, {result['way']}-way {result['shot']}-shot"
    line = f"{result['accuracy']} % on {setting}{f' ({conditions})' if conditions else ''}"
    run = " --set ".join(str(result[key]) for key in ("config", "override") if result.get(key))
    return f"{line}; {result['source']}{f'; {run}' if run else ''}"
