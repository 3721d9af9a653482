"""What training wrote down while it ran."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from fsarbench.report.comparison.rows import Row
from fsarbench.results.finished_runs import Run
from fsarbench.training.trackers import LOG


@dataclass(frozen=True)
class Curve:
    """A number over training episodes.

    Attributes:
        episodes: Where it was taken.
        values: What it was, mean over seeds.
    """

    episodes: Float64[np.ndarray, " S"]
    values: Float64[np.ndarray, " S"]

    def __bool__(self) -> bool:
        return len(self.episodes) > 0


NONE = Curve(np.zeros(0), np.zeros(0))


def validation(row: Row) -> Curve:
    """The accuracy on validation classes, from the results."""
    return mean_curve([_validations(run) for run in row.runs])


def training(row: Row, tag: str) -> Curve:
    """A number of the training log, such as `loss`, smoothed; empty where the log is gone."""
    return smooth(mean_curve([_logged(run.folder, tag) for run in row.runs]))


def smooth(curve: Curve) -> Curve:
    """The running mean over a tenth of the curve, since single episodes say little.

    Example:
        >>> smooth(Curve(np.arange(20.0), np.tile([0.0, 1.0], 10))).values[:3]
        array([0.5, 0.5, 0.5])
    """
    width = len(curve.values) // 10
    if width < 2:
        return curve
    sums = np.cumsum(np.concatenate([[0.0], curve.values]))
    return Curve(curve.episodes[width - 1 :], (sums[width:] - sums[:-width]) / width)


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """The mean of several seeds at the places that all of them have.

    Example:
        >>> one = Curve(np.array([1.0, 2.0]), np.array([4.0, 8.0]))
        >>> two = Curve(np.array([2.0, 3.0]), np.array([6.0, 9.0]))
        >>> mean_curve([one, two])
        Curve(episodes=array([2.]), values=array([7.]))
    """
    places = [dict(zip(c.episodes.tolist(), c.values.tolist(), strict=True)) for c in curves]
    shared = sorted(set.intersection(*(set(place) for place in places)))
    values = [np.mean([place[episode] for place in places]) for episode in shared]
    return Curve(np.array(shared), np.array(values)) if shared else NONE


def _validations(run: Run) -> Curve:
    found = run.result["training"].get("validations") or []
    episodes, values = [v["episode"] for v in found], [v["accuracy"] for v in found]
    return Curve(np.array(episodes, dtype=float), np.array(values, dtype=float))


def _logged(folder: Path, tag: str) -> Curve:
    # In a resumed run, episodes that were trained again come twice; the later ones count.
    points: dict[float, float] = {}
    if (folder / LOG).is_file():
        points = _log_scalars(folder / LOG, tag)
    else:  # written by a version that logged to TensorBoard alone
        for file in sorted((folder / "tensorboard").rglob("events.out.tfevents.*")):
            points |= _tensorboard_scalars(file, tag)
    steps = sorted(points)
    return Curve(np.array(steps, dtype=float), np.array([points[step] for step in steps]))


def _log_scalars(file: Path, tag: str) -> dict[float, float]:
    points: dict[float, float] = {}
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(ValueError):  # A line that was being written when the process was killed.
            scalars = json.loads(line)
            if tag in scalars:
                points[float(scalars["episode"])] = float(scalars[tag])
    return points


def _tensorboard_scalars(file: Path, tag: str) -> dict[float, float]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = EventAccumulator(str(file), size_guidance={"scalars": 0})
    log.Reload()
    known = log.Tags()["scalars"]
    return {float(s.step): float(s.value) for s in log.Scalars(tag)} if tag in known else {}
