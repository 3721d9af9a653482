"""Which episodes are worth a look: hard ones, easy ones, and those where methods disagree."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from fsarbench.report.comparison.rows import Row

HARD = "hard for all"
EASY = "easy for all"
APART = "methods disagree"


@dataclass(frozen=True)
class Chosen:
    """One episode.

    Attributes:
        number: Which of the seed's episodes.
        why: What it was chosen for.
        accuracies: Of every row that was asked, mean over its seeds.
    """

    number: int
    why: str
    accuracies: tuple[float, ...]


def choose(rows: Sequence[Row], each: int) -> list[Chosen]:
    """Some episodes of each kind; no episode twice, and of equals the first.

    Args:
        rows: Rows that were tested on the same episodes.
        each: How many of each kind.
    """
    by_row = np.stack([row.accuracies.mean(axis=0) for row in rows])
    mean, spread = by_row.mean(axis=0), by_row.std(axis=0)
    keys = {HARD: mean, EASY: -mean}
    if len(rows) > 1 and spread.max() > 0:
        keys = {HARD: mean, APART: -spread, EASY: -mean}
    taken: dict[int, str] = {}
    for why, key in keys.items():
        for number in _first(key, each, set(taken)):
            taken[number] = why
    return [Chosen(number, why, tuple(by_row[:, number].tolist())) for number, why in taken.items()]


def alike(rows: Sequence[Row]) -> list[Row]:
    """The rows that were tested on the episodes of the first, as far as can be known."""
    first = rows[0]

    def same(row: Row) -> bool:
        if row.episode_videos is not None and first.episode_videos is not None:
            return row.same_episodes(first)
        return same_draw(row, first) and row.accuracies.shape[1] == first.accuracies.shape[1]

    return [row for row in rows if same(row)]


def same_draw(row: Row, other: Row) -> bool:
    """Whether an episode's number means the same videos to both, also where one was asked more."""
    keys = ("data_fingerprint", "episodes_seed", "queries_a_class")
    return all(row.first.conditions[key] == other.first.conditions[key] for key in keys)


def _first(key: Float64[np.ndarray, " E"], count: int, taken: set[int]) -> list[int]:
    order = np.argsort(key, kind="stable")[: count + len(taken)].tolist()
    return [number for number in order if number not in taken][:count]
