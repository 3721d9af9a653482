"""The plots of one setting: accuracy, what it costs, and how training went."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from fsarbench.report.comparison.columns import UNITS, interval_kinds
from fsarbench.report.comparison.table import Line
from fsarbench.report.html.confusion import Confusion
from fsarbench.report.html.plot_style import COLOURS, COLUMN, PAGE, dashes, figure, look, shortened
from fsarbench.report.html.training_curves import Curve

# A blue that grows from nothing, so that the page's own ground shows through and text stays
# readable on it, light or dark.
FADING = LinearSegmentedColormap.from_list(
    "fading", [(*to_rgb(COLOURS[0]), 0.0), (*to_rgb(COLOURS[0]), 0.62)]
)
WRITTEN = 0.045  # cells below this share carry no number


def class_figure(found: Sequence[tuple[int, str, Confusion]]) -> Figure:
    """The accuracy of every class, a mark a method; the hardest class on top.

    Args:
        found: The place, name and confusion of each row.
    """
    classes = found[0][2].classes
    mean = np.nanmean([each.accuracies for _, _, each in found], axis=0)
    order = np.argsort(mean, kind="stable")
    made = figure(PAGE, 0.9 + 0.17 * len(classes) + 0.07 * len(found))
    axes = made.subplots()
    for place, name, each in found:
        values = 100 * each.accuracies[order]
        marks = {**look(place), "alpha": 0.85}
        axes.plot(values, range(len(classes)), ls="none", ms=4, label=shortened(name), **marks)
    labels = [shortened(classes[index], 60) for index in order]
    axes.set_yticks(range(len(classes)), labels, fontsize=7 if len(classes) <= 30 else 5)
    axes.set_ylim(len(classes) - 0.5, -0.5)
    axes.set_xlabel("accuracy of the class (%)")
    made.legend(loc="outside lower center", ncols=2, handlelength=1.2)
    return made


def confusion_figure(found: Confusion) -> Figure:
    """How often a class was taken for another, of the times when it could have been; in percent."""
    size = len(found.classes)
    made = figure(PAGE, 0.7 + min(0.19 * size, 7.5))
    axes = made.subplots()
    axes.imshow(found.rates, cmap=FADING, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    small = 6.5 if size <= 30 else 4
    if size <= 40:
        _write(axes, found.rates, small)
    # Columns by number alone: names beside them would take half of the width.
    names = [f"{shortened(name, 48)}  {i}" for i, name in enumerate(found.classes, 1)]
    axes.set_xticks(range(size), [str(i) for i in range(1, size + 1)], fontsize=small)
    axes.set_yticks(range(size), names, fontsize=small)
    axes.set_xlabel("answered class, by the number of its row")
    axes.set_ylabel("true class")
    axes.grid(False)
    axes.set_xticks(np.arange(size) - 0.5, minor=True)
    axes.set_yticks(np.arange(size) - 0.5, minor=True)
    axes.grid(which="minor", linewidth=0.3)
    axes.tick_params(which="minor", length=0)
    return made


def _write(axes: Axes, rates: Float64[np.ndarray, "M M"], size: float) -> None:
    for row, column in zip(*np.nonzero(np.nan_to_num(rates) >= WRITTEN), strict=True):
        text = f"{100 * rates[row, column]:.0f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=size)


# Unlike each other on paper too: the kinds of intervals from the widest line to the thinnest.
WIDTHS = {"videos": 3.2, "seeds": 1.8, "episodes": 0.9}


@dataclass(frozen=True)
class Plot:
    """One plot, drawn when it is wanted.

    Attributes:
        name: Of its file.
        kind: What it shows, in one word.
        title: What stands above it.
        words: Description of the plot for screen readers.
        draw: Makes the figure; to be called inside `styled`.
        wide: It needs the width of a page.
    """

    name: str
    kind: str
    title: str
    words: str
    draw: Callable[[], Figure]
    wide: bool = False


@dataclass(frozen=True)
class Cost:
    """What an accuracy is held against.

    Attributes:
        label: The axis.
        values: Of each row; None where it is not known.
    """

    label: str
    values: Sequence[float | None]


def accuracy_figure(lines: Sequence[Line]) -> Figure:
    """Each row's accuracy with all its intervals, the widest kind as the widest bar."""
    made = figure(COLUMN, 0.75 + 0.26 * len(lines))
    axes = made.subplots()
    for kind, colour in zip(interval_kinds(lines), COLOURS, strict=False):
        for place, line in enumerate(lines):
            interval = line.intervals.get(kind)
            if interval is not None and interval.half_width == interval.half_width:
                ends = [100 * interval.low, 100 * interval.high]
                label = f"interval over {UNITS[kind]}" if place == 0 else None
                width = WIDTHS[kind]
                axes.plot(ends, [place] * 2, color=colour, linewidth=width, label=label)
    means = [100 * line.row.mean for line in lines]
    axes.plot(means, range(len(lines)), "|", color=axes.xaxis.label.get_color(), markersize=7)
    _names(axes, [line.row.name for line in lines])
    axes.set_xlabel("accuracy (%)")
    _below(made, axes)
    return made


def cost_figure(lines: Sequence[Line], cost: Cost) -> Figure:
    """Accuracy against a cost, with the rows that no other beats in both."""
    made = figure(COLUMN, 2.1 + 0.14 * len(lines))
    axes = made.subplots()
    points = []
    for place, (line, value) in enumerate(zip(lines, cost.values, strict=True)):
        if value is not None:
            points.append((value, 100 * line.row.mean))
            label = shortened(line.row.name)
            axes.plot(*points[-1], linestyle="none", label=label, zorder=3, **look(place))
    front = pareto(points)
    ink = axes.xaxis.label.get_color()
    steps: dict[str, Any] = {
        "drawstyle": "steps-post",
        "linewidth": 0.9,
        "linestyle": "--",
        "color": ink,
    }
    axes.plot(*zip(*front, strict=True), label="Pareto front", zorder=2, **steps)
    _scaled(axes, [value for value, _ in points])
    axes.set_xlabel(cost.label)
    axes.set_ylabel("accuracy (%)")
    _below(made, axes)
    return made


def curve_figure(curves: Sequence[tuple[str, Curve]], unit: str, scale: float = 1.0) -> Figure:
    """A number over training episodes, a line a method; methods keep their colours."""
    drawn = [(place, name, curve) for place, (name, curve) in enumerate(curves) if curve]
    made = figure(COLUMN, 2.0 + 0.14 * len(drawn))
    axes = made.subplots()
    for place, name, curve in drawn:
        every = max(1, len(curve.episodes) // 8)
        marks = {**look(place), "markevery": every, "linestyle": dashes(place)}
        label = shortened(name)
        axes.plot(curve.episodes, scale * curve.values, label=label, lw=1.1, ms=3.5, **marks)
    values = np.concatenate([curve.values for _, _, curve in drawn])
    if 0 < values.min() < values.max() / 50:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("training episodes")
    axes.set_ylabel(unit)
    _below(made, axes)
    return made


def pareto(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points that no other beats or equals in cost and accuracy, by cost.

    Example:
        >>> pareto([(2.0, 70.0), (1.0, 60.0), (3.0, 65.0), (2.0, 65.0)])
        [(1.0, 60.0), (2.0, 70.0)]
    """
    front: list[tuple[float, float]] = []
    for cost, accuracy in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or accuracy > front[-1][1]:
            front.append((cost, accuracy))
    return front


def _scaled(axes: Axes, values: Sequence[float]) -> None:
    # Costs differ by orders of magnitude, and one may be 0: nothing was tuned.
    above = [value for value in values if value > 0]
    if above and max(above) > 20 * min(above):
        least = 10.0 ** math.floor(math.log10(min(above)))
        if min(values) > 0:
            axes.set_xscale("log")
        else:
            axes.set_xscale("symlog", linthresh=least)
            axes.set_xlim(left=-0.2 * least)
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _names(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [shortened(name, 26) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)


def _below(made: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    columns = 1 if any(len(label) > 20 for label in labels) else 2
    if len(labels) <= 3 and all(len(label) < 15 for label in labels):
        columns = 3
    made.legend(handles, labels, loc="outside lower center", ncols=columns, handlelength=1.6)
