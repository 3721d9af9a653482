"""Published results of the methods in a comparison."""

from collections.abc import Iterator, Sequence

from fsarbench.catalogue.cards import MethodCard, methods
from fsarbench.catalogue.published_results import PublishedResult, config_spelling, results_of
from fsarbench.report.comparison.rows import Row


def published_for(rows: Sequence[Row]) -> list[PublishedResult]:
    """Published results of the methods of the rows, for their data sets and tasks."""
    results = [result for row in rows for result in _of_row(row)]
    return list(dict.fromkeys(results))


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
    """Pretraining, trained part of the backbone, and note of a published result."""
    return ", ".join(part for part in (result.pretraining, result.tuning, result.note) if part)
