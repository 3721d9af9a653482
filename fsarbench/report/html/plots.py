"""Plots of one setting: accuracy, costs, training curves, classes and confusions."""

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
from fsarbench.report.html.plot_style import (
    COLOURS,
    COLUMN,
    PAGE,
    figure,
    line_style,
    marker_style,
    shortened,
)
from fsarbench.report.html.training_curves import Curve

# From transparent to blue, so that text is readable on light and dark pages.
FADING = LinearSegmentedColormap.from_list(
    "fading", [(*to_rgb(COLOURS[0]), 0.0), (*to_rgb(COLOURS[0]), 0.62)]
)
MIN_WRITTEN = 0.045  # cells below this rate have no number


def class_figure(matrices: Sequence[tuple[int, str, Confusion]]) -> Figure:
    """Accuracy of every class with one marker per method; the hardest class is on top.

    Args:
        matrices: Index, name and confusion matrix of each row.
    """
    classes = matrices[0][2].classes
    mean = np.nanmean([matrix.accuracies for _, _, matrix in matrices], axis=0)
    order = np.argsort(mean, kind="stable")
    plot = figure(PAGE, 0.9 + 0.17 * len(classes) + 0.07 * len(matrices))
    axes = plot.subplots()
    for index, name, matrix in matrices:
        values = 100 * matrix.accuracies[order]
        style = {**marker_style(index), "alpha": 0.85}
        axes.plot(values, range(len(classes)), ls="none", ms=4, label=shortened(name), **style)
    labels = [shortened(classes[index], 60) for index in order]
    axes.set_yticks(range(len(classes)), labels, fontsize=7 if len(classes) <= 30 else 5)
    axes.set_ylim(len(classes) - 0.5, -0.5)
    axes.set_xlabel("accuracy of the class (%)")
    plot.legend(loc="outside lower center", ncols=2, handlelength=1.2)
    return plot


def confusion_figure(matrix: Confusion) -> Figure:
    """Confusion matrix in percent of the queries whose episode had both classes."""
    size = len(matrix.classes)
    plot = figure(PAGE, 0.7 + min(0.19 * size, 7.5))
    axes = plot.subplots()
    axes.imshow(matrix.rates, cmap=FADING, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    font_size = 6.5 if size <= 30 else 4
    if size <= 40:
        _write(axes, matrix.rates, font_size)
    # Columns are labelled by numbers, because names would take half of the width.
    names = [f"{shortened(name, 48)}  {i}" for i, name in enumerate(matrix.classes, 1)]
    axes.set_xticks(range(size), [str(i) for i in range(1, size + 1)], fontsize=font_size)
    axes.set_yticks(range(size), names, fontsize=font_size)
    axes.set_xlabel("predicted class, by the number of its row")
    axes.set_ylabel("true class")
    axes.grid(False)
    axes.set_xticks(np.arange(size) - 0.5, minor=True)
    axes.set_yticks(np.arange(size) - 0.5, minor=True)
    axes.grid(which="minor", linewidth=0.3)
    axes.tick_params(which="minor", length=0)
    return plot


def _write(axes: Axes, rates: Float64[np.ndarray, "A A"], font_size: float) -> None:
    for row, column in zip(*np.nonzero(np.nan_to_num(rates) >= MIN_WRITTEN), strict=True):
        text = f"{100 * rates[row, column]:.0f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=font_size)


# Line widths of the kinds of intervals, so that they differ in black-and-white print as well.
WIDTHS = {"videos": 3.2, "seeds": 1.8, "episodes": 0.9}


@dataclass(frozen=True)
class Plot:
    """One plot, drawn on demand.

    Attributes:
        name: Name of its file.
        kind: Kind of the plot, in one word.
        title: Title above the plot.
        words: Description of the plot for screen readers.
        draw: Function that draws the figure; call it inside `styled`.
        wide: Whether it has the width of a page.
    """

    name: str
    kind: str
    title: str
    words: str
    draw: Callable[[], Figure]
    wide: bool = False


@dataclass(frozen=True)
class Cost:
    """Cost on the horizontal axis of a plot.

    Attributes:
        label: Axis label.
        values: Cost of each row; None if it is unknown.
    """

    label: str
    values: Sequence[float | None]


def accuracy_figure(lines: Sequence[Line]) -> Figure:
    """Accuracy of each row with all its intervals."""
    plot = figure(COLUMN, 0.75 + 0.26 * len(lines))
    axes = plot.subplots()
    for kind, colour in zip(interval_kinds(lines), COLOURS, strict=False):
        for index, line in enumerate(lines):
            interval = line.intervals.get(kind)
            if interval is not None and interval.half_width == interval.half_width:
                ends = [100 * interval.low, 100 * interval.high]
                label = f"interval over {UNITS[kind]}" if index == 0 else None
                width = WIDTHS[kind]
                axes.plot(ends, [index] * 2, color=colour, linewidth=width, label=label)
    means = [100 * line.row.mean for line in lines]
    axes.plot(means, range(len(lines)), "|", color=axes.xaxis.label.get_color(), markersize=7)
    _names(axes, [line.row.name for line in lines])
    axes.set_xlabel("accuracy (%)")
    _legend_below(plot, axes)
    return plot


def cost_figure(lines: Sequence[Line], cost: Cost) -> Figure:
    """Accuracy against a cost, with the Pareto front."""
    plot = figure(COLUMN, legend_height(2.1, len(lines)))
    axes = plot.subplots()
    points = []
    for index, (line, value) in enumerate(zip(lines, cost.values, strict=True)):
        if value is not None:
            points.append((value, 100 * line.row.mean))
            label = shortened(line.row.name)
            axes.plot(*points[-1], linestyle="none", label=label, zorder=3, **marker_style(index))
    front = pareto(points)
    ink = axes.xaxis.label.get_color()
    steps: dict[str, Any] = {
        "drawstyle": "steps-post",
        "linewidth": 0.9,
        "linestyle": "--",
        "color": ink,
    }
    axes.plot(*zip(*front, strict=True), label="Pareto front", zorder=2, **steps)
    _scale_costs(axes, [value for value, _ in points])
    axes.set_xlabel(cost.label)
    axes.set_ylabel("accuracy (%)")
    _legend_below(plot, axes)
    return plot


def curve_figure(curves: Sequence[tuple[str, Curve]], unit: str, scale: float = 1.0) -> Figure:
    """A value over training episodes with one line per method, in the colours of the methods."""
    nonempty = [(index, name, curve) for index, (name, curve) in enumerate(curves) if curve]
    plot = figure(COLUMN, legend_height(2.0, len(nonempty)))
    axes = plot.subplots()
    for index, name, curve in nonempty:
        every = max(1, len(curve.episodes) // 8)
        style = {**marker_style(index), "markevery": every, "linestyle": line_style(index)}
        label = shortened(name)
        axes.plot(curve.episodes, scale * curve.values, label=label, lw=1.1, ms=3.5, **style)
    values = np.concatenate([curve.values for _, _, curve in nonempty])
    if 0 < values.min() < values.max() / 50:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("training episodes")
    axes.set_ylabel(unit)
    _legend_below(plot, axes)
    return plot


def pareto(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Pareto-optimal points of cost and accuracy, sorted by cost.

    Example:
        >>> pareto([(2.0, 70.0), (1.0, 60.0), (3.0, 65.0), (2.0, 65.0)])
        [(1.0, 60.0), (2.0, 70.0)]
    """
    front: list[tuple[float, float]] = []
    for cost, accuracy in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or accuracy > front[-1][1]:
            front.append((cost, accuracy))
    return front


def _scale_costs(axes: Axes, values: Sequence[float]) -> None:
    # Costs differ by orders of magnitude, and may be 0 (no trainable parameters).
    positive = [value for value in values if value > 0]
    if positive and max(positive) > 20 * min(positive):
        smallest = 10.0 ** math.floor(math.log10(min(positive)))
        if min(values) > 0:
            axes.set_xscale("log")
        else:
            axes.set_xscale("symlog", linthresh=smallest)
            axes.set_xlim(left=-0.2 * smallest)
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _names(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [shortened(name, 26) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)


# With more methods, the legend has small text in two columns, so that the plot keeps its height.
MANY = 20


def legend_height(height: float, count: int) -> float:
    """Height in inches of a plot with a legend of this many methods.

    Example:
        >>> round(legend_height(2.0, 10), 2), round(legend_height(2.0, 60), 2)
        (3.4, 6.0)
    """
    return height + (0.14 * count if count <= MANY else 0.4 + 0.12 * math.ceil(count / 2))


def _legend_below(plot: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > MANY + 1:  # one label may be that of the Pareto front
        short = [shortened(label, 26) for label in labels]
        style = {"fontsize": 5.5, "labelspacing": 0.25, "handlelength": 1.4}
        plot.legend(handles, short, loc="outside lower center", ncols=2, **style)
        return
    columns = 1 if any(len(label) > 20 for label in labels) else 2
    if len(labels) <= 3 and all(len(label) < 15 for label in labels):
        columns = 3
    plot.legend(handles, labels, loc="outside lower center", ncols=columns, handlelength=1.6)
