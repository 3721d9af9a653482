"""Selection of hard episodes, easy episodes, and episodes in which methods disagree."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from fsarbench.report.comparison.rows import Row

HARD = "hard for all"
EASY = "easy for all"
DISPUTED = "methods disagree"


@dataclass(frozen=True)
class Chosen:
    """A selected episode.

    Attributes:
        number: Number of the episode.
        why: Reason for the selection.
        accuracies: Accuracy of every row in the episode, mean over its seeds.
    """

    number: int
    why: str
    accuracies: tuple[float, ...]


def choose(rows: Sequence[Row], each: int) -> list[Chosen]:
    """Select hard, disputed and easy episodes; no episode twice, and the first of equal ones.

    Args:
        rows: Rows that were tested on the same episodes.
        each: Number of episodes of each kind.
    """
    by_row = np.stack([row.accuracies.mean(axis=0) for row in rows])
    mean, spread = by_row.mean(axis=0), by_row.std(axis=0)
    keys = {HARD: mean, EASY: -mean}
    if len(rows) > 1 and spread.max() > 0:
        keys = {HARD: mean, DISPUTED: -spread, EASY: -mean}
    reasons: dict[int, str] = {}
    for why, key in keys.items():
        for number in _smallest(key, each, set(reasons)):
            reasons[number] = why
    return [
        Chosen(number, why, tuple(by_row[:, number].tolist())) for number, why in reasons.items()
    ]


def alike(rows: Sequence[Row]) -> list[Row]:
    """Rows with the same test episodes as the first row.

    If a row has no saved episodes, rows with equal data, seed and number of episodes are the same.
    """
    first = rows[0]

    def same(row: Row) -> bool:
        if row.episode_videos is not None and first.episode_videos is not None:
            return row.same_episodes(first)
        return same_draw(row, first) and row.accuracies.shape[1] == first.accuracies.shape[1]

    return [row for row in rows if same(row)]


def same_draw(row: Row, other: Row) -> bool:
    """Whether both rows draw the same sequence of episodes; its length may differ."""
    keys = ("data_fingerprint", "episodes_seed", "queries_a_class")
    return all(row.first.conditions[key] == other.first.conditions[key] for key in keys)


def _smallest(key: Float64[np.ndarray, " E"], count: int, excluded: set[int]) -> list[int]:
    order = np.argsort(key, kind="stable")[: count + len(excluded)].tolist()
    return [number for number in order if number not in excluded][:count]
