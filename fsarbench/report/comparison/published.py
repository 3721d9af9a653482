"""Published results of the compared methods: other code, often other protocols."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fsarbench.catalogue.cards import MethodCard, methods
from fsarbench.report.comparison.rows import Row
from fsarbench.report.task_name import task_name


@dataclass(frozen=True)
class Published:
    """One published accuracy.

    Attributes:
        method: Method name in the paper.
        dataset: Data set.
        task: Task name, such as `5-way 1-shot`.
        accuracy: Accuracy in percent, as printed.
        conditions: Backbone, pretraining, trainable parameters and further conditions.
        source: Paper and table.
    """

    method: str
    dataset: str
    task: str
    accuracy: float
    conditions: str
    source: str


def published_for(rows: Sequence[Row]) -> list[Published]:
    """Return the published results of the rows' methods on their data sets and tasks, each once."""
    return list(dict.fromkeys(entry for row in rows for entry in _of_row(row)))


def _of_row(row: Row) -> Iterator[Published]:
    dataset, way, shot = row.first.setting
    for card in methods():
        if is_method(row, card):
            for result in card.published:
                setting = spelt(str(result["dataset"])), result["way"], result["shot"]
                if setting == (spelt(dataset), way, shot):
                    yield published(card, result)


def is_method(row: Row, card: MethodCard) -> bool:
    """Whether a row's adapter, prototype builder and matcher are those of a method."""
    slots = ("adapter", "prototypes", "matcher")
    return all(row.part(slot) in card.parts.get(slot, [""]) for slot in slots)


def published(card: MethodCard, result: dict[str, Any]) -> Published:
    """Convert one result of a method card."""
    keys = ("backbone", "pretraining", "tuning", "note")
    return Published(
        method=str(result.get("method", card.title)),
        dataset=str(result["dataset"]),
        task=task_name(result["way"], result["shot"]),
        accuracy=float(result["accuracy"]),
        conditions=", ".join(str(result[key]) for key in keys if result.get(key)),
        source=str(result["source"]),
    )


def spelt(dataset: str) -> str:
    """Return the name of a data set as spelt in configs.

    Example:
        >>> spelt("ssv2-full"), spelt("ssv2-small"), spelt("hmdb51")
        ('ssv2', 'ssv2small', 'hmdb51')
    """
    return dataset.lower().replace("-full", "").replace("-", "")
