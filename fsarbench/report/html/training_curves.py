"""Training curves of runs, from their results and training logs."""

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
    """A value over training episodes.

    Attributes:
        episodes: Numbers of training episodes.
        values: Values after these episodes, mean over seeds.
    """

    episodes: Float64[np.ndarray, " S"]
    values: Float64[np.ndarray, " S"]

    def __bool__(self) -> bool:
        return len(self.episodes) > 0


NONE = Curve(np.zeros(0), np.zeros(0))


def validation(row: Row) -> Curve:
    """Accuracy on the validation classes, from the results."""
    return mean_curve([_validations(run) for run in row.runs])


def training(row: Row, tag: str) -> Curve:
    """Smoothed value of the training log, such as `loss`; empty without a log."""
    return smooth(mean_curve([_logged(run.folder, tag) for run in row.runs]))


def smooth(curve: Curve) -> Curve:
    """Running mean over a tenth of the curve, because values of single episodes are noisy.

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
    """Mean over several seeds at the episodes that all of them have.

    Example:
        >>> first = Curve(np.array([1.0, 2.0]), np.array([4.0, 8.0]))
        >>> second = Curve(np.array([2.0, 3.0]), np.array([6.0, 9.0]))
        >>> mean_curve([first, second])
        Curve(episodes=array([2.]), values=array([7.]))
    """
    by_episode = [dict(zip(c.episodes.tolist(), c.values.tolist(), strict=True)) for c in curves]
    shared = sorted(set.intersection(*(set(values) for values in by_episode)))
    means = [np.mean([values[episode] for values in by_episode]) for episode in shared]
    return Curve(np.array(shared), np.array(means)) if shared else NONE


def _validations(run: Run) -> Curve:
    validations = run.result["training"].get("validations") or []
    episodes, values = ([v[key] for v in validations] for key in ("episode", "accuracy"))
    return Curve(np.array(episodes, dtype=float), np.array(values, dtype=float))


def _logged(folder: Path, tag: str) -> Curve:
    # A resumed run may log episodes twice; the later values count.
    points: dict[float, float] = {}
    if (folder / LOG).is_file():
        points = _log_scalars(folder / LOG, tag)
    else:  # earlier versions logged to TensorBoard only
        for file in sorted((folder / "tensorboard").rglob("events.out.tfevents.*")):
            points |= _tensorboard_scalars(file, tag)
    steps = sorted(points)
    return Curve(np.array(steps, dtype=float), np.array([points[step] for step in steps]))


def _log_scalars(file: Path, tag: str) -> dict[float, float]:
    points: dict[float, float] = {}
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(ValueError):  # An incomplete line of a process that was killed.
            scalars = json.loads(line)
            if tag in scalars:
                points[float(scalars["episode"])] = float(scalars[tag])
    return points


def _tensorboard_scalars(file: Path, tag: str) -> dict[float, float]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = EventAccumulator(str(file), size_guidance={"scalars": 0})
    log.Reload()
    tags = log.Tags()["scalars"]
    return {float(s.step): float(s.value) for s in log.Scalars(tag)} if tag in tags else {}
