"""Exception for errors in a user's input, and suggestions of similar names for its messages."""

import difflib
from collections.abc import Iterable, Sequence


class UserError(ValueError):
    """Error that the user can fix; the command line prints its message and exits with status 2.

    The message names the file, key, class or video, what was expected, and what to do.
    """


def killed_worker_message(error: BaseException) -> str | None:
    """Message for a data loader worker that was killed; None for any other error.

    torch raises this error in whatever code the main process is running at that time.

    Example:
        >>> killed_worker_message(RuntimeError("something else")) is None
        True
    """
    text = str(error)
    if not isinstance(error, RuntimeError) or "DataLoader worker" not in text or "Caught" in text:
        return None
    return (
        f"A worker process that decodes videos was killed ({text.splitlines()[0]}). Reduce the "
        "number of workers, or give the machine (in a container: its /dev/shm) more memory."
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggestion for an unknown name: the most similar known name, then all known names.

    Example:
        >>> nearest("OTMA", ["OTAM", "MeanCosine"])
        " Did you mean 'OTAM'? Known: OTAM, MeanCosine."
    """
    names = list(known)
    return f"{closest(name, names)} Known: {', '.join(names) or 'none'}."


def closest(name: str, known: Iterable[str]) -> str:
    """Suggestion of the most similar known name, after a space; empty if none is similar.

    Example:
        >>> closest("temprature", ["scale", "temperature"])
        " Did you mean 'temperature'?"
    """
    lower = {other.lower(): other for other in known}
    close = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    return f" Did you mean '{lower[close[0]]}'?" if close else ""


def first_names(names: Sequence[str], most: int = 5) -> str:
    """The first of many names, for a message that counts them.

    Example:
        >>> first_names(["run", "sit", "wave"], 2)
        "'run', 'sit', ..."
    """
    return ", ".join(map(repr, names[:most])) + (", ..." if len(names) > most else "")
