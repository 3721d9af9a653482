"""What papers report of the methods that were run: other code, often other protocols."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fsarbench.catalogue.cards import MethodCard, methods
from fsarbench.report.comparison.rows import Row


@dataclass(frozen=True)
class Published:
    """One published accuracy.

    Attributes:
        method: As the paper calls it.
        dataset: The data set.
        task: Way and shot.
        accuracy: In percent, as printed.
        conditions: Backbone, what was tuned, and what else is known.
        source: Where it is printed.
    """

    method: str
    dataset: str
    task: str
    accuracy: float
    conditions: str
    source: str


def published_for(rows: Sequence[Row]) -> list[Published]:
    """Published results of the rows' methods on their data sets and tasks, each once."""
    found = [entry for row in rows for entry in _of_row(row)]
    return list(dict.fromkeys(found))


def _of_row(row: Row) -> Iterator[Published]:
    dataset, way, shot = row.first.setting
    for card in methods():
        if is_method(row, card):
            for result in card.published:
                here = spelt(str(result["dataset"])), result["way"], result["shot"]
                if here == (spelt(dataset), way, shot):
                    yield published(card, result)


def is_method(row: Row, card: MethodCard) -> bool:
    """Whether a row's adapter, prototypes and matcher are those of a method."""
    slots = ("adapter", "prototypes", "matcher")
    return all(row.part(slot) in card.parts.get(slot, [""]) for slot in slots)


def published(card: MethodCard, result: dict[str, Any]) -> Published:
    """One entry of a card."""
    keys = ("backbone", "pretraining", "tuning", "note")
    return Published(
        method=str(result.get("method", card.title)),
        dataset=str(result["dataset"]),
        task=f"{result['way']}-way {result['shot']}-shot",
        accuracy=float(result["accuracy"]),
        conditions=", ".join(str(result[key]) for key in keys if result.get(key)),
        source=str(result["source"]),
    )


def spelt(dataset: str) -> str:
    """The name of a data set as configs spell it.

    Example:
        >>> spelt("ssv2-full"), spelt("ssv2-small"), spelt("hmdb51")
        ('ssv2', 'ssv2small', 'hmdb51')
    """
    return dataset.lower().replace("-full", "").replace("-", "")
