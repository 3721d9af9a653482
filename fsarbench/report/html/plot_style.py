"""Style of plots: colours for colour-blind readers, and figure sizes of papers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import matplotlib as mpl
from matplotlib.figure import Figure

# Colours of Okabe and Ito without black, and without yellow, which is too pale on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = "os^DvPX"
# Widths in inches of one column and of both columns of a two-column paper.
COLUMN = 3.3
PAGE = 6.9
# Colour of text and lines, which is replaced by the text colour of the page.
INK = "#010203"


@contextmanager
def styled(ink: str = "#000000") -> Iterator[None]:
    """Apply the settings of matplotlib for drawing and writing figures inside a `with` block.

    They replace all settings of the user's `matplotlibrc`, styles and notebooks, so that equal runs
    give equal files.

    Args:
        ink: Colour of text and lines.
    """
    names = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    colours = dict.fromkeys((*names, "grid.color", "legend.labelcolor"), ink)
    with mpl.rc_context(cast(Any, _defaults() | STYLE | colours)):
        yield


def _defaults() -> dict[str, Any]:
    # Without the backend: reading or setting it could load a library for windows.
    return {key: value for key, value in mpl.rcParamsDefault.items() if "backend" not in key}


STYLE: dict[str, object] = {
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
    # Dollar signs in names are text, not mathematics.
    "text.parse_math": False,
    "axes.formatter.use_mathtext": False,
    # Text is written as text; journals reject Type 3 fonts.
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.hashsalt": "fsarbench",
}


def figure(width: float, height: float) -> Figure:
    """Empty figure of this size in inches, outside pyplot's global state."""
    return Figure(figsize=(width, height), layout="constrained")


def marker_style(index: int) -> dict[str, Any]:
    """Colour and marker of a method by its index; the first 42 differ.

    Example:
        >>> marker_style(0), marker_style(6)
        ({'color': '#0072B2', 'marker': 'o'}, {'color': '#0072B2', 'marker': 's'})
    """
    turn, colour = divmod(index, len(COLOURS))
    return {"color": COLOURS[colour], "marker": MARKERS[(colour + turn) % len(MARKERS)]}


def line_style(index: int) -> str:
    """Line style of a method by its index; it differs between methods of equal colour.

    Example:
        >>> line_style(0), line_style(6)
        ('-', '--')
    """
    return ("-", "--", ":", "-.")[index // len(COLOURS) % 4]


def shortened(name: str, length: int = 40) -> str:
    """Shorten a name in the middle, because names of actions often differ at their ends.

    Example:
        >>> shortened("Moving something from left to right", 20)
        'Moving …eft to right'
    """
    head = (length - 1) * 2 // 5
    return name if len(name) <= length else f"{name[:head]}…{name[head + 1 - length :]}"
