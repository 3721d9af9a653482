"""The one exception that a user's input can cause, and how its messages end."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Something the user can mend; the command line prints it without a traceback and exits with 2.

    The message names the file, key, class or video, says what was expected and what to do.
    """


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a message on an unknown name: the nearest known name, then all of them.

    Example:
        >>> nearest("OTMA", ["OTAM", "MeanCosine"])
        " Did you mean 'OTAM'? Known: OTAM, MeanCosine."
    """
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    return f"{hint} Known: {', '.join(names) or 'none'}."
