"""What `fsarbench list` and `fsarbench show` print, from the cards alone."""

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fsarbench.cards import Card, find, of_slot


def print_list(slot: str | None) -> None:
    """One row a component: slot, name, what it is."""
    table = Table("slot", "name", "what it is", box=None, pad_edge=False)
    before = None
    for card in of_slot(slot):
        table.add_row(card.slot if card.slot != before else "", card.name, escape(card.summary))
        before = card.slot
    Console().print(table)


def print_card(name: str) -> None:
    """One card, as plain lines under headings."""
    card = find(name)
    console = Console()
    console.print(f"[bold]{card.name}[/bold] ({card.slot}): {escape(card.summary)}")
    for heading, lines in sections(card):
        if lines:
            console.print(f"\n[bold]{heading}[/bold]")
            for line in lines:
                console.print(f"  {escape(line)}")


def sections(card: Card) -> Iterator[tuple[str, list[str]]]:
    """The headings of a card with their lines; those without lines are left out when printed."""
    yield "Paper", [card.paper] if card.paper else []
    yield "Arguments", arguments(card)
    yield "Properties", properties(card)
    yield "What differs from the authors' code, or rests on no printed fact", card.differs
    yield "Published results", [published(result) for result in card.published]
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


def published(result: dict[str, object]) -> str:
    """One published number with its conditions and its source."""
    setting = f"{result['dataset']}, {result['way']}-way {result['shot']}-shot"
    backbone = f" ({result['backbone']})" if result.get("backbone") else ""
    return f"{result['accuracy']} % on {setting}{backbone}; {result['source']}"
