"""Cards of components and methods, read without importing the components or torch."""

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

# Names of methods and configs in lists; they are not slots.
METHOD = "method"
CONFIG = "config"


@dataclass(frozen=True, kw_only=True)
class Card:
    """Description of a component beyond its constructor.

    Attributes:
        file: File of the card.
        name: Registered name.
        slot: Slot of the registry.
        summary: Summary in one line.
        paper: Authors, title, venue, year, arXiv number; empty if there is no paper.
        equation: Computation in lines of LaTeX, with the axes of the interfaces; may be empty.
        uses_text: Whether it can use the text features of class names.
        transductive: Whether a query's score depends on the other queries.
        identity_at_start: Adapters only: whether the features at initialisation are those of the
            plain backbone.
        required: Arguments without a default.
        optional: Arguments whose default is None.
        offered: Arguments that are filled in when the model is built.
        defaults: All other arguments with their defaults.
        released: Arguments with which the component computes the same as the released code.
        differs: Differences from the authors' code, and choices that the paper does not state.
        seen_data: Backbones: training data of known weights, as in `registry/README.md`.
        published: Published results with their sources.
        origin: Installed package of the component; empty for fsarbench.
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
    """Description of a method beyond its configs.

    Attributes:
        file: File of the card.
        name: Prefix of the names of its configs.
        title: Name of the method in its paper.
        summary: Summary in one line.
        paper: Authors, title, venue, year, arXiv number.
        parts: Components in its configs by slot, the usual one first.
        names_in_training: Whether class names are used in training.
        names_at_test: Whether class names are used in the scores of a test episode.
        transductive: Whether a query's score depends on the other queries.
        licence: Licence of the authors' code, if known.
        selection: How the checkpoint of the published results was selected: `val`, `test`, `fixed`
            or `unknown`; empty without published results.
        text_at_test: Text that the published results use at test: `none`, `name`, `LLM`, `MLLM` or
            `unknown`; empty without published results.
        evidence: Source of `selection` and `text_at_test`.
        differs: Differences of configs and components from the paper or the authors' code, and
            choices of fsarbench.
        published: Published results with their sources and configs;
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
        """Names of the configs of the method, sorted."""
        return [name for name in config_names() if name.startswith(f"{self.name}_")]


AnyCard = TypeVar("AnyCard")
OTHER_FOLDERS = ("methods", "published")  # folders of the catalogue that are not slots


@cache
def cards() -> tuple[Card, ...]:
    """All cards of components by slot and name; those of other packages are last.

    Raises:
        UserError: A card cannot be read; the message names its file.
    """
    folders = sorted(p for p in resource("registry").iterdir() if p.name not in OTHER_FOLDERS)
    included = [read(file, Card) for folder in folders for file in sorted(folder.glob("*.toml"))]
    known = {card.slot for card in included}
    return (*included, *(card_of(component, known) for component in discovered()))


@cache
def methods() -> tuple[MethodCard, ...]:
    """All cards of methods by name.

    Raises:
        UserError: A card cannot be read; the message names its file.
    """
    files = sorted((resource("registry") / "methods").glob("*.toml"))
    return tuple(read(file, MethodCard) for file in files)


def read(file: Path, card_type: Callable[..., AnyCard]) -> AnyCard:
    """Read a card.

    Raises:
        UserError: The file is not a valid card.
    """
    try:
        with file.open("rb") as stream:
            return card_type(file=file, **tomllib.load(stream))
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise UserError(
            f"{file}: not a card: {error}. registry/README.md lists the keys."
        ) from error


def card_of(component: DiscoveredComponent, known: Collection[str]) -> Card:
    """Card of a component of another package; a minimal card if the package has none.

    Args:
        component: Component of another package.
        known: Names of all slots.

    Raises:
        UserError: The card cannot be read.
    """
    for file in component.cards():
        card = read(file, Card)
        if (card.slot, card.name) == (component.slot, component.name):
            return replace(card, origin=component.origin)
    summary = "without a card" if component.slot in known else "unknown slot"
    return Card(
        file=component.location,
        name=component.name,
        slot=component.slot,
        summary=summary,
        origin=component.origin,
    )


def slots() -> list[str]:
    """Names of all slots with cards, sorted, and `method`."""
    return [*sorted({card.slot for card in cards()}), METHOD]


def components_of_slot(slot: str | None) -> list[Card | MethodCard]:
    """Cards of a slot; None for all cards.

    Raises:
        UserError: The slot is unknown.
    """
    if slot is not None and slot not in slots():
        raise UserError(f"Unknown slot '{slot}'.{nearest(slot, [*slots(), CONFIG])}")
    by_name = sorted(cards(), key=lambda card: (card.slot, card.name))
    components = [card for card in by_name if slot in (None, card.slot)]
    return [*components, *(methods() if slot in (None, METHOD) else ())]


def find(name: str) -> Card:
    """Card of a component.

    Raises:
        UserError: The component is unknown.
    """
    for card in cards():
        if card.name == name:
            return card
    raise UserError(f"Unknown component '{name}'.{nearest(name, (card.name for card in cards()))}")


def cards_named(name: str) -> list[Card | MethodCard]:
    """Cards of all components and methods with this name; the case is ignored.

    Raises:
        UserError: The name is unknown.
    """

    def matches(card: Card | MethodCard) -> bool:
        names = (card.name, getattr(card, "title", ""))
        return name.lower() in (other.lower() for other in names)

    all_cards = components_of_slot(None)
    matching = [card for card in all_cards if matches(card)]
    if not matching:
        # Methods first: of two names that differ only in case, the last one is suggested.
        known = [card.name for card in reversed(all_cards)]
        raise UserError(f"Unknown component or method '{name}'.{nearest(name, known)}")
    return matching
