"""The terminal that tables and cards are printed on."""

import os
import sys

from rich.console import Console

# Wider than any line: what is piped into another program is one line a row.
UNBROKEN = 1000


def make_console() -> Console:
    """Standard output: as wide as the terminal or `COLUMNS`, and unbroken lines in a pipe.

    Colours are rich's: none in a pipe or where `NO_COLOR` is set.
    """
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else UNBROKEN
    return Console(width=width, highlight=False)
