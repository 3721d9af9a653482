"""Which classes are taken for which."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from fsarbench.report.comparison.rows import Row, rows_of
from fsarbench.report.html.confusion import confusion, mistaken
from fsarbench.results.finished_runs import read_run
from fsarbench.results.predictions import Predictions
from tests.helpers.finished_runs import finish


def row_of(predictions: Predictions, folder: Path) -> Row:
    (run,) = read_run(finish(folder, "one"))
    return Row((dataclasses.replace(run, predictions=predictions),))


def by_hand(predictions: list[list[int]]) -> Predictions:
    """Two episodes of two classes each, out of three."""
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


def test_counts_what_could_have_been_confused(tmp_path: Path) -> None:
    found = confusion(row_of(by_hand([[0, 1, 1, 1], [0, 0, 0, 1]]), tmp_path))
    assert found is not None
    # Class a was asked four times: twice beside b, twice beside c; b and c never met.
    assert found.met.tolist() == [[4, 2, 2], [2, 2, 0], [2, 0, 2]]
    assert found.said.tolist() == [[2, 1, 1], [0, 2, 0], [0, 0, 2]]
    assert found.accuracies.tolist() == [0.5, 1.0, 1.0]
    assert np.isnan(found.rates[1, 2])
    pairs = mistaken(found)
    assert [(m.true, m.said, m.count, m.met, m.rate) for m in pairs] == [
        ("a", "b", 1, 2, 0.5),
        ("a", "c", 1, 2, 0.5),
    ]


def test_seeds_are_counted_together(tmp_path: Path) -> None:
    runs = [run for seed in (0, 1) for run in read_run(finish(tmp_path, "one", seed=seed))]
    (row,) = rows_of(runs)
    found = confusion(row)
    assert found is not None
    each = [confusion(Row((run,))) for run in runs]
    assert (found.met == sum(e.met for e in each if e)).all()
    assert (found.said == sum(e.said for e in each if e)).all()
    # All queries are of some class, and as many are right as the accuracy says.
    assert found.said.sum() == 2 * 300 * 5
    assert found.said.trace() / found.said.sum() == pytest.approx(row.mean)


def test_none_where_answers_were_not_kept(tmp_path: Path) -> None:
    assert confusion(Row(tuple(read_run(finish(tmp_path, "one", keep=False))))) is None
