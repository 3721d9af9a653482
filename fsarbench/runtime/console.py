"""Console for tables and cards on standard output."""

import os
import sys

from rich.console import Console

# Width in a pipe, larger than any line, so that each table row is one line.
PIPE_WIDTH = 1000


def make_console() -> Console:
    """Console with the width of the terminal or `COLUMNS`; in a pipe, lines are not wrapped.

    There are no colours in a pipe, or if `NO_COLOR` is set.
    """
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(width=width, highlight=False)
