"""The catalogue: one card a component and one a method, read without importing either or torch."""

import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from fsarbench.catalogue.config_variants import config_names
from fsarbench.catalogue.entry_points import DiscoveredComponent, discovered
from fsarbench.catalogue.package_data import resource
from fsarbench.errors import UserError, nearest

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib

METHOD = "method"  # the slot of methods in lists, and the name of no real slot
CONFIG = "config"  # and that of configs


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a constructor cannot say of a component.

    Attributes:
        file: The card's file.
        name: The registered name.
        slot: The slot of the registry.
        summary: One line.
        paper: Authors, title, venue, year, arXiv number; empty for what comes from no paper.
        equation: What it computes, lines of LaTeX with the axes of the contracts; none if words do.
        uses_text: It can use the text features of class names.
        transductive: A query's score depends on the other queries.
        identity_at_start: Adapters only: at initialisation the trunk's features are the plain ones.
        required: Arguments without a default.
        optional: Arguments whose default is None.
        offered: Arguments that assembly fills in.
        defaults: All other arguments with their defaults.
        released: Values of the arguments with which it computes what the released code computes.
        differs: Where it differs from its authors' code, and what rests on no printed fact.
        seen_data: Backbones: training data of known weights, as in `registry/README.md`.
        published: Published results with their sources.
        origin: The installed package that brings it; empty for the project's own.
    """

    file: Path
    name: str
    slot: str
    summary: str
    paper: str = ""
    equation: list[str] = field(default_factory=list)
    uses_text: bool = False
    transductive: bool = False
    identity_at_start: bool | None = None
    required: list[str] = field(default_factory=list)
    optional: list[str] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=dict)
    released: dict[str, Any] = field(default_factory=dict)
    differs: list[str] = field(default_factory=list)
    seen_data: list[dict[str, Any]] = field(default_factory=list)
    published: list[dict[str, Any]] = field(default_factory=list)
    origin: str = ""


@dataclass(frozen=True, kw_only=True)
class MethodCard:
    """What the configs of a method cannot say.

    Attributes:
        file: The card's file.
        name: What the names of its configs start with.
        title: The method as its paper spells it.
        summary: One line.
        paper: Authors, title, venue, year, arXiv number.
        parts: The components that its configs name, by slot, the usual one first.
        names_in_training: Class names enter training.
        names_at_test: Class names enter the scores of a test episode.
        transductive: A query's score depends on the other queries.
        licence: That of the authors' code, where it is known.
        selection: How the checkpoint of the published results was selected: `val`, `test`, `fixed`
            or `unknown`; empty where there are no results.
        text_at_test: The text that the published results use at test: `none`, `name`, `LLM`,
            `MLLM` or `unknown`; empty where there are no results.
        evidence: Where the two before are known from.
        differs: Where configs and parts differ from the paper or its code, and what is ours.
        published: Published results with their sources, and the configs that stand for them;
            `fsarbench.catalogue.published_results` completes and checks them.
    """

    file: Path
    name: str
    title: str
    summary: str
    paper: str
    parts: dict[str, list[str]]
    names_in_training: bool
    names_at_test: bool
    transductive: bool
    licence: str = ""
    selection: str = ""
    text_at_test: str = ""
    evidence: str = ""
    differs: list[str] = field(default_factory=list)
    published: list[dict[str, Any]] = field(default_factory=list)

    @property
    def configs(self) -> list[str]:
        """The names of its configs, sorted."""
        return [name for name in config_names() if name.startswith(f"{self.name}_")]


AnyCard = TypeVar("AnyCard")
OTHER_FOLDERS = ("methods", "published")  # the folders of the catalogue that are no slots


@cache
def cards() -> tuple[Card, ...]:
    """All cards of components, by slot and name; those of other installed packages come last.

    Raises:
        UserError: A card cannot be read; the message names its file.
    """
    folders = sorted(p for p in resource("registry").iterdir() if p.name not in OTHER_FOLDERS)
    own = [read(file, Card) for folder in folders for file in sorted(folder.glob("*.toml"))]
    known = {card.slot for card in own}
    return (*own, *(card_of(part, known) for part in discovered()))


@cache
def methods() -> tuple[MethodCard, ...]:
    """All cards of methods, by name.

    Raises:
        UserError: A card cannot be read; the message names its file.
    """
    files = sorted((resource("registry") / "methods").glob("*.toml"))
    return tuple(read(file, MethodCard) for file in files)


def read(file: Path, kind: Callable[..., AnyCard]) -> AnyCard:
    """One card."""
    try:
        with file.open("rb") as stream:
            return kind(file=file, **tomllib.load(stream))
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise UserError(
            f"{file}: not a card: {error}. registry/README.md lists the keys."
        ) from error


def card_of(part: DiscoveredComponent, known: Collection[str]) -> Card:
    """The card of a component of another package; a bare one where the package brings none.

    Args:
        part: The component.
        known: The slots that there are.

    Raises:
        UserError: Its card cannot be read.
    """
    for file in part.cards():
        card = read(file, Card)
        if (card.slot, card.name) == (part.slot, part.name):
            return replace(card, origin=part.origin)
    missing = "without a card" if part.slot in known else "which is no slot"
    return Card(
        file=part.place, name=part.name, slot=part.slot, summary=missing, origin=part.origin
    )


def slots() -> list[str]:
    """The slots that have cards, sorted, and that of the methods."""
    return [*sorted({card.slot for card in cards()}), METHOD]


def components_of_slot(slot: str | None) -> list[Card | MethodCard]:
    """The cards of a slot, or all of them.

    Raises:
        UserError: There is no such slot.
    """
    if slot is not None and slot not in slots():
        raise UserError(f"Unknown slot '{slot}'.{nearest(slot, [*slots(), CONFIG])}")
    chosen = sorted(cards(), key=lambda card: (card.slot, card.name))
    parts = [card for card in chosen if slot in (None, card.slot)]
    return [*parts, *(methods() if slot in (None, METHOD) else ())]


def find(name: str) -> Card:
    """The card of a component.

    Raises:
        UserError: There is no such component.
    """
    for card in cards():
        if card.name == name:
            return card
    raise UserError(f"Unknown component '{name}'.{nearest(name, (card.name for card in cards()))}")


def named(name: str) -> list[Card | MethodCard]:
    """The cards of the components and methods of that name, which they may share; case is free.

    Raises:
        UserError: There is none.
    """

    def fits(card: Card | MethodCard) -> bool:
        names = (card.name, getattr(card, "title", ""))
        return name.lower() in (each.lower() for each in names)

    everything = components_of_slot(None)
    found = [card for card in everything if fits(card)]
    if not found:
        # Methods first: where two names differ in case alone, the last is the one suggested.
        known = [card.name for card in reversed(everything)]
        raise UserError(f"Unknown component or method '{name}'.{nearest(name, known)}")
    return found
