"""The plots of classes: how well each is known, and which are taken for which."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure

from fsarbench.report.html.confusion import Confusion
from fsarbench.report.html.plot_style import COLOURS, PAGE, figure, look, shortened

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
