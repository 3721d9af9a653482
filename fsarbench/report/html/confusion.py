"""Confusion matrix over all test episodes of a row."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from fsarbench.report.comparison.rows import Row
from fsarbench.results.predictions import Predictions


@dataclass(frozen=True)
class Confusion:
    """Confusion matrix over all seeds of a row.

    A query can only be confused with the classes of its episode. Rates are therefore relative to
    the queries whose episode had both classes.

    Attributes:
        classes: Class names of the split.
        possible: Queries of the row's class in episodes with the column's class.
        predicted: Those of these queries that were predicted as the column's class.
    """

    classes: tuple[str, ...]
    possible: Int64[np.ndarray, "A A"]
    predicted: Int64[np.ndarray, "A A"]

    @property
    def rates(self) -> Float64[np.ndarray, "A A"]:
        """Fraction of predictions per pair of classes; NaN for classes without common episodes.

        The diagonal is the accuracy of each class.
        """
        with np.errstate(invalid="ignore"):
            return np.where(self.possible > 0, self.predicted / self.possible, np.nan)

    @property
    def accuracies(self) -> Float64[np.ndarray, " A"]:
        """Accuracy of every class; NaN for a class without queries."""
        return self.rates.diagonal()


@dataclass(frozen=True)
class ConfusedPair:
    """Queries of one class that were predicted as another class.

    Attributes:
        true: True class.
        predicted: Predicted class.
        count: Number of these queries.
        possible: Number of queries of the true class in episodes with the other class.
    """

    true: str
    predicted: str
    count: int
    possible: int

    @property
    def rate(self) -> float:
        """Fraction of the possible queries."""
        return self.count / self.possible


def confusion(row: Row) -> Confusion | None:
    """Confusion matrix of a row over its seeds; None if a run has no `episodes.npz`."""
    predictions = [run.predictions for run in row.runs if run.predictions is not None]
    if len(predictions) < len(row.runs):
        return None
    names = predictions[0].class_names
    if any(other.class_names != names for other in predictions):
        return None
    counts = [_counts(of_run) for of_run in predictions]
    possible, predicted = (np.sum(arrays, axis=0) for arrays in zip(*counts, strict=True))
    return Confusion(names, possible, predicted)


def most_confused(matrix: Confusion, limit: int = 10) -> list[ConfusedPair]:
    """Most often confused pairs by rate; equal rates are in the order of the classes."""
    rates = np.nan_to_num(matrix.rates)
    np.fill_diagonal(rates, 0)
    order = np.argsort(-rates, axis=None, kind="stable")[:limit]
    pairs = [divmod(int(index), len(matrix.classes)) for index in order]
    return [
        ConfusedPair(
            true=matrix.classes[i],
            predicted=matrix.classes[j],
            count=int(matrix.predicted[i, j]),
            possible=int(matrix.possible[i, j]),
        )
        for i, j in pairs
        if rates[i, j] > 0
    ]


def _counts(predictions: Predictions) -> tuple[Int64[np.ndarray, "A A"], Int64[np.ndarray, "A A"]]:
    size = len(predictions.class_names)
    true = np.take_along_axis(predictions.classes, predictions.labels, axis=1)
    predicted = np.take_along_axis(predictions.classes, predictions.predictions, axis=1)
    pairs = (true[:, :, None] * size + predictions.classes[:, None]).ravel()
    possible = np.bincount(pairs, minlength=size * size)
    counts = np.bincount((true * size + predicted).ravel(), minlength=size * size)
    return possible.reshape(size, size), counts.reshape(size, size)
