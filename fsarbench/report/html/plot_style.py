"""How plots look: colours that colour-blind people tell apart, sizes that a paper takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import matplotlib as mpl
from matplotlib.figure import Figure

# Okabe and Ito's colours without yellow, which is too pale for a line on white, and black.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = "os^DvPX"
COLUMN = 3.3  # inches: one column of a two-column paper
PAGE = 6.9
# The colour of text and lines; on a page it is put in place of what the page's reader has chosen.
INK = "#010203"


@contextmanager
def styled(ink: str = "#000000") -> Iterator[None]:
    """The settings under which a figure is made and written; outside, nothing is changed.

    They start from matplotlib's own defaults, so that neither a user's `matplotlibrc` or style nor
    a notebook's settings reach a figure: same runs, same bytes.

    Args:
        ink: The colour of text and lines.
    """
    names = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    inked = dict.fromkeys((*names, "grid.color", "legend.labelcolor"), ink)
    with mpl.rc_context(cast(Any, _defaults() | PLAIN | inked)):
        yield


def _defaults() -> dict[str, Any]:
    # The backend belongs to windows, and reading or setting it could load one.
    return {key: value for key, value in mpl.rcParamsDefault.items() if "backend" not in key}


PLAIN: dict[str, object] = {
    "font.size": 8,
    "legend.fontsize": 7,
    "lines.markersize": 4.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.18,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "font.family": "sans-serif",
    # A name is text, whatever dollar signs it has.
    "text.parse_math": False,
    "axes.formatter.use_mathtext": False,
    # Text stays text; journals refuse fonts of type 3.
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.hashsalt": "fsarbench",
}


def figure(width: float, height: float) -> Figure:
    """An empty figure in inches, of no window and no global list."""
    return Figure(figsize=(width, height), layout="constrained")


def look(place: int) -> dict[str, Any]:
    """The colour and marker of the method in some place; the first 42 differ.

    Example:
        >>> look(0), look(6)
        ({'color': '#0072B2', 'marker': 'o'}, {'color': '#0072B2', 'marker': 's'})
    """
    turn, colour = divmod(place, len(COLOURS))
    return {"color": COLOURS[colour], "marker": MARKERS[(colour + turn) % len(MARKERS)]}


def dashes(place: int) -> str:
    """The style of a line, which tells methods of one colour apart.

    Example:
        >>> dashes(0), dashes(6)
        ('-', '--')
    """
    return ("-", "--", ":", "-.")[place // len(COLOURS) % 4]


def shortened(name: str, most: int = 40) -> str:
    """A name that fits beside a plot; names of actions often differ at their ends.

    Example:
        >>> shortened("Moving something from left to right", 20)
        'Moving …eft to right'
    """
    head = (most - 1) * 2 // 5
    return name if len(name) <= most else f"{name[:head]}…{name[head + 1 - most :]}"
