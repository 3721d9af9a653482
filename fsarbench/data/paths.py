"""Where the project keeps the data that it makes."""

import os
from pathlib import Path

from fsarbench.errors import UserError

VARIABLE = "FSARBENCH_DATA"


def data_home() -> Path:
    """The folder of `FSARBENCH_DATA`, else `fsarbench` in the user's cache folder."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "fsarbench"


def cannot_write(place: Path, error: OSError) -> UserError:
    """What a user is told when data cannot be written."""
    return UserError(
        f"cannot write {place}: {error.strerror or error}. Make room or allow writing there, or "
        f"set {VARIABLE} to a folder on another disk; files that are finished are kept."
    )
