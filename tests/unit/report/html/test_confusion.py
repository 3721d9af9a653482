"""Confusion counts of a row, and the pairs of classes that are confused most often."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from fsarbench.report.comparison.rows import Row, rows_of
from fsarbench.report.html.confusion import confusion, most_confused
from fsarbench.results.finished_runs import read_run
from fsarbench.results.predictions import Predictions
from tests.helpers.finished_runs import finish


def row_of(predictions: Predictions, folder: Path) -> Row:
    (run,) = read_run(finish(folder, "one"))
    return Row((dataclasses.replace(run, predictions=predictions),))


def two_episodes(predictions: list[list[int]]) -> Predictions:
    """Predictions of two episodes with two of three classes each."""
    return Predictions(
        classes=np.array([[0, 1], [2, 0]]),
        support=np.zeros((2, 2, 1), dtype=np.int64),
        query=np.zeros((2, 4), dtype=np.int64),
        labels=np.array([[0, 0, 1, 1], [0, 0, 1, 1]]),
        predictions=np.array(predictions),
        video_labels=np.zeros(1, dtype=np.int64),
        video_ids=("v",),
        class_names=("a", "b", "c"),
    )


def test_counts_of_possible_and_actual_predictions(tmp_path: Path) -> None:
    counts = confusion(row_of(two_episodes([[0, 1, 1, 1], [0, 0, 0, 1]]), tmp_path))
    assert counts is not None
    # Class a has four queries: two in episodes with b, two with c; b and c share no episode.
    assert counts.possible.tolist() == [[4, 2, 2], [2, 2, 0], [2, 0, 2]]
    assert counts.predicted.tolist() == [[2, 1, 1], [0, 2, 0], [0, 0, 2]]
    assert counts.accuracies.tolist() == [0.5, 1.0, 1.0]
    assert np.isnan(counts.rates[1, 2])
    pairs = most_confused(counts)
    assert [(p.true, p.predicted, p.count, p.possible, p.rate) for p in pairs] == [
        ("a", "b", 1, 2, 0.5),
        ("a", "c", 1, 2, 0.5),
    ]


def test_counts_of_seeds_are_summed(tmp_path: Path) -> None:
    runs = [run for seed in (0, 1) for run in read_run(finish(tmp_path, "one", seed=seed))]
    (row,) = rows_of(runs)
    counts = confusion(row)
    assert counts is not None
    by_seed = [confusion(Row((run,))) for run in runs]
    assert (counts.possible == sum(c.possible for c in by_seed if c)).all()
    assert (counts.predicted == sum(c.predicted for c in by_seed if c)).all()
    # The sum is the number of queries; the diagonal gives the accuracy.
    assert counts.predicted.sum() == 2 * 300 * 5
    assert counts.predicted.trace() / counts.predicted.sum() == pytest.approx(row.mean)


def test_none_if_predictions_were_not_saved(tmp_path: Path) -> None:
    assert confusion(Row(tuple(read_run(finish(tmp_path, "one", keep=False))))) is None
