"""What papers report of the methods that were run: other code, often other protocols."""

from collections.abc import Iterator, Sequence

from fsarbench.catalogue.cards import MethodCard, methods
from fsarbench.catalogue.published_results import PublishedResult, config_spelling, results_of
from fsarbench.report.comparison.rows import Row


def published_for(rows: Sequence[Row]) -> list[PublishedResult]:
    """Published results of the rows' methods on their data sets and tasks, each once."""
    found = [result for row in rows for result in _of_row(row)]
    return list(dict.fromkeys(found))


def _of_row(row: Row) -> Iterator[PublishedResult]:
    dataset, way, shot = row.first.setting
    for card in methods():
        if is_method(row, card):
            for result in results_of(card):
                of_result = config_spelling(result.dataset), result.way, result.shot
                if of_result == (config_spelling(dataset), way, shot):
                    yield result


def is_method(row: Row, card: MethodCard) -> bool:
    """Whether a row's adapter, prototypes and matcher are those of a method."""
    slots = ("adapter", "neck", "prototypes", "matcher")
    return all(row.part(slot) in card.parts.get(slot, [""]) for slot in slots)


def conditions(result: PublishedResult) -> str:
    """Pretraining, the trained part of the backbone, and what else is known."""
    return ", ".join(part for part in (result.pretraining, result.tuning, result.note) if part)
