"""Which classes are taken for which, over all test episodes of a row."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from fsarbench.report.comparison.rows import Row
from fsarbench.results.predictions import Predictions


@dataclass(frozen=True)
class Confusion:
    """Answers by pairs of classes, all seeds together.

    A query can only be taken for a class of its episode, so what counts is how often the two met.

    Attributes:
        classes: The classes of the split.
        met: Queries of the row's class in episodes that held the column's class.
        said: Those of them that were answered with the column's class.
    """

    classes: tuple[str, ...]
    met: Int64[np.ndarray, "M M"]
    said: Int64[np.ndarray, "M M"]

    @property
    def rates(self) -> Float64[np.ndarray, "M M"]:
        """The share of such answers; on the diagonal the accuracy; nan where two never met."""
        with np.errstate(invalid="ignore"):
            return np.where(self.met > 0, self.said / self.met, np.nan)

    @property
    def accuracies(self) -> Float64[np.ndarray, " M"]:
        """The accuracy of every class; nan where it was never asked."""
        return self.rates.diagonal()


@dataclass(frozen=True)
class Mistaken:
    """Queries of one class that were taken for another.

    Attributes:
        true: Their class.
        said: The class that was answered.
        count: How many.
        met: Of how many that could have been.
    """

    true: str
    said: str
    count: int
    met: int

    @property
    def rate(self) -> float:
        """The share of them."""
        return self.count / self.met


def confusion(row: Row) -> Confusion | None:
    """The confusion of a row over its seeds; None where a run kept no `episodes.npz`."""
    kept = [run.predictions for run in row.runs if run.predictions is not None]
    if len(kept) < len(row.runs) or any(a.class_names != kept[0].class_names for a in kept):
        return None
    counts = [_counts(predictions) for predictions in kept]
    met, said = (np.sum(arrays, axis=0) for arrays in zip(*counts, strict=True))
    return Confusion(kept[0].class_names, met, said)


def mistaken(found: Confusion, most: int = 10) -> list[Mistaken]:
    """The pairs that are most often confused, by rate; equal rates in the order of classes."""
    rates = np.nan_to_num(found.rates)
    np.fill_diagonal(rates, 0)
    order = np.argsort(-rates, axis=None, kind="stable")[:most]
    pairs = [divmod(int(place), len(found.classes)) for place in order]
    return [
        Mistaken(found.classes[i], found.classes[j], int(found.said[i, j]), int(found.met[i, j]))
        for i, j in pairs
        if rates[i, j] > 0
    ]


def _counts(predictions: Predictions) -> tuple[Int64[np.ndarray, "M M"], Int64[np.ndarray, "M M"]]:
    size = len(predictions.class_names)
    true = np.take_along_axis(predictions.classes, predictions.labels, axis=1)
    said = np.take_along_axis(predictions.classes, predictions.predictions, axis=1)
    pairs = (true[:, :, None] * size + predictions.classes[:, None]).ravel()
    met = np.bincount(pairs, minlength=size * size)
    answered = np.bincount((true * size + said).ravel(), minlength=size * size)
    return met.reshape(size, size), answered.reshape(size, size)
