"""The catalogue: one card a component, read without importing the component or torch."""

import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from fsarbench.errors import UserError, nearest
from fsarbench.resources import resource

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a constructor cannot say of a component.

    Attributes:
        file: The card's file.
        name: The registered name.
        slot: The slot of the registry.
        summary: One line.
        paper: Authors, title, venue, year, arXiv number; empty for what comes from no paper.
        uses_text: It can use the text features of class names.
        transductive: A query's score depends on the other queries.
        identity_at_start: Adapters only: at initialisation the trunk's features are the plain ones.
        required: Arguments without a default.
        optional: Arguments whose default is None.
        offered: Arguments that assembly fills in.
        defaults: All other arguments with their defaults.
        differs: Where it differs from its authors' code, and what rests on no printed fact.
        published: Published results with their sources.
    """

    file: Path
    name: str
    slot: str
    summary: str
    paper: str = ""
    uses_text: bool = False
    transductive: bool = False
    identity_at_start: bool | None = None
    required: list[str] = field(default_factory=list)
    optional: list[str] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=dict)
    differs: list[str] = field(default_factory=list)
    published: list[dict[str, Any]] = field(default_factory=list)


@cache
def cards() -> tuple[Card, ...]:
    """All cards, by slot and name.

    Raises:
        UserError: A card cannot be read; the message names its file.
    """
    return tuple(read(file) for file in sorted(resource("registry").glob("*/*.toml")))


def read(file: Path) -> Card:
    """One card."""
    try:
        with file.open("rb") as stream:
            return Card(file=file, **tomllib.load(stream))
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise UserError(
            f"{file}: not a card: {error}. registry/README.md lists the keys."
        ) from error


def slots() -> list[str]:
    """The slots that have cards, sorted."""
    return sorted({card.slot for card in cards()})


def of_slot(slot: str | None) -> list[Card]:
    """The cards of a slot, or all of them.

    Raises:
        UserError: There is no such slot.
    """
    if slot is not None and slot not in slots():
        raise UserError(f"Unknown slot '{slot}'.{nearest(slot, slots())}")
    return [card for card in cards() if slot in (None, card.slot)]


def find(name: str) -> Card:
    """The card of a component.

    Raises:
        UserError: There is no such component.
    """
    for card in cards():
        if card.name == name:
            return card
    raise UserError(f"Unknown component '{name}'.{nearest(name, (card.name for card in cards()))}")
