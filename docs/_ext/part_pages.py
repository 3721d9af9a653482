"""Reference pages of components and methods, generated from cards and docstrings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

import griffe
from markdown import code, contents, literal, page, prose, table
from python_pages import Pages, label, signature

from fsarbench.catalogue.cards import Card, MethodCard, cards, methods
from fsarbench.catalogue.published_results import results_of
from fsarbench.report.cards import Result, command, grouped, percentage, setting

GUIDE = (
    "One page per slot, generated from the cards in `registry/` and the docstrings; "
    "`fsarbench list` and `fsarbench show NAME` print the same in the terminal. In equations, "
    "*x* are support features, *q* those of a query, *p* prototypes, *e* text features, "
    "*s* logits, *n* a class of the episode, a bar the mean over time; axes are those of "
    "[](../../concepts.md)."
)

FOLDERS = {
    "backbone": "backbones",
    "text_encoder": "text_encoders",
    "adapter": "adapters",
    "neck": "necks",
    "prototypes": "prototypes",
    "matcher": "matchers",
    "losses": "losses",
    "readout": "readouts",
    "dataset": "data.datasets",
    "reader": "data.readers",
}


def files(pages: Pages) -> Iterator[tuple[str, str]]:
    """Pairs of file name and text."""
    own = [card for card in cards() if not card.origin]
    chosen = sorted(own, key=lambda card: list(FOLDERS).index(card.slot))
    names = [*FOLDERS, "methods"]
    yield "parts/index.md", page("Components and methods", [GUIDE, ""], contents(names, depth=2))
    for slot, group in groupby(chosen, key=lambda card: card.slot):
        blocks = (part(card, pages) for card in sorted(group, key=lambda card: card.name))
        yield f"parts/{slot}.md", page(f"`{slot}`", *blocks)
    yield "parts/methods.md", page("Methods", *(method(card) for card in methods()))


def part(card: Card, pages: Pages) -> Iterator[str]:
    """Section of a component, from its card and docstring."""
    found = component_class(card, pages)
    yield from [f"(part-{card.name})=", f"## {card.name}", "", prose(card.summary) + ".", ""]
    yield from [f"*{prose(card.paper)}.*", ""] if card.paper else []
    for line in card.equation:
        yield from ["```{math}", line, "```", ""]
    yield from code("python", signature(found))
    yield from pages.docstring(found)
    yield from table(("", ""), properties(card))
    yield from differences(card.differs)
    yield from trained_on(card.seen_data)
    yield from published(card.published)
    yield from [f"Source and shapes: [`{found.path}`](#{label(found)}).", ""]


def trained_on(weights: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Table of the data that known weights were trained on."""
    if weights:
        rows = (
            (
                ", ".join(map(literal, w["weights"])),
                ", ".join(w["data"]),
                "used" if w["labels"] else "not used",
            )
            for w in weights
        )
        yield from table(("known weights", "trained on", "class labels"), rows)


def component_class(card: Card, pages: Pages) -> griffe.Class:
    """Class of a component: in the module of its slot's folder that defines it."""
    folder = pages.package[FOLDERS[card.slot]]
    assert isinstance(folder, griffe.Module)
    modules = (m for m in folder.modules.values() if not m.is_alias)
    # A module that only imports the class has an alias of that name.
    members = (m.members.get(card.name) for m in modules)
    return next(member for member in members if isinstance(member, griffe.Class))


def properties(card: Card) -> Iterator[tuple[str, str]]:
    """Properties that matter for a fair comparison."""
    yield "class names", "used" if card.uses_text else "not used"
    yield "transductive", "yes" if card.transductive else "no"
    if card.identity_at_start is not None:
        features = "those of" if card.identity_at_start else "different from"
        yield "features at initialisation", f"{features} the plain backbone"
    if card.released:
        values = (literal(f"{name}={value!r}") for name, value in card.released.items())
        yield "arguments in the released code", ", ".join(values)
    if card.offered:
        yield "filled in when the model is built", ", ".join(map(literal, card.offered))


def method(card: MethodCard) -> Iterator[str]:
    """Section of a method: the components of its configs, and published results."""
    yield from [
        f"(method-{card.name})=",
        f"## {prose(card.title)}",
        "",
        f"{prose(card.summary)}.",
        "",
    ]
    yield from [f"*{prose(card.paper)}.*", ""]
    rows = [
        (slot, ", ".join(f"[{n}](#part-{n})" for n in names)) for slot, names in card.parts.items()
    ]
    uses = [("in training", card.names_in_training), ("at test", card.names_at_test)]
    rows.append(("class names", " and ".join(where for where, used in uses if used) or "not used"))
    rows.append(("transductive", "yes" if card.transductive else "no"))
    yield from table(("slot", "component"), rows)
    yield from differences(card.differs)
    if card.evidence:
        yield from [f"Protocol of the published results: {prose(card.evidence)}", ""]
    yield from published([asdict(result) for result in results_of(card)])
    yield from ["Configs: " + ", ".join(map(literal, card.configs)) + ".", ""]


def differences(lines: list[str]) -> Iterator[str]:
    """Differences from the authors' code, and choices that no publication states."""
    if lines:
        heading = "Differences from the released code, and choices that no publication states:"
        yield from [heading, ""]
        yield from [*(f"- {prose(line)}" for line in lines), ""]


def published(results: Sequence[Result]) -> Iterator[str]:
    """Published results, grouped by their conditions."""
    for heading, group in grouped(results):
        rows = [
            (str(one["dataset"]), setting(one), percentage(one), config(command(one)))
            for one in group
        ]
        # Only methods have configs that stand for a number.
        columns = 4 if any(row[3] for row in rows) else 3
        header = ("data set", "task", "accuracy", "config")[:columns]
        yield from [f"Published: {prose(heading)}", ""]
        yield from table(header, (row[:columns] for row in rows))


def config(line: str) -> str:
    """Config of a published result, as inline code."""
    return literal(line) if line else ""
