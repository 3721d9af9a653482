"""The one exception that a user's input can cause, and how its messages end."""

import difflib
from collections.abc import Iterable


class UserError(ValueError):
    """Something the user can mend; the command line prints it without a traceback and exits with 2.

    The message names the file, key, class or video, says what was expected and what to do.
    """


def lost_worker(error: BaseException) -> str | None:
    """What is said of a decoding process that was ended, which torch raises wherever it happens.

    Example:
        >>> lost_worker(RuntimeError("something else")) is None
        True
    """
    text = str(error)
    if not isinstance(error, RuntimeError) or "DataLoader worker" not in text or "Caught" in text:
        return None
    return (
        f"A process that decodes videos was ended ({text.splitlines()[0]}). Lower the number of "
        "workers, or give the machine (a container: its /dev/shm) more memory."
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a message on an unknown name: the nearest known name, then all of them.

    Example:
        >>> nearest("OTMA", ["OTAM", "MeanCosine"])
        " Did you mean 'OTAM'? Known: OTAM, MeanCosine."
    """
    names = list(known)
    return f"{closest(name, names)} Known: {', '.join(names) or 'none'}."


def closest(name: str, known: Iterable[str]) -> str:
    """The question whether a similar name was meant, after a space; empty where none is similar.

    Example:
        >>> closest("temprature", ["scale", "temperature"])
        " Did you mean 'temperature'?"
    """
    lower = {other.lower(): other for other in known}
    close = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    return f" Did you mean '{lower[close[0]]}'?" if close else ""
