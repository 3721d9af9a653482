"""Where the project keeps the data that it makes."""

import os
import re
from pathlib import Path

from fsarbench.errors import UserError


def expand_path(text: str, key: str, base: Path | None = None) -> Path:
    """A path with `~`, `$NAME` and `${NAME}` filled in.

    Args:
        text: What the user wrote.
        key: The config key where it stands, for the message.
        base: Where a relative path starts; None for the working folder.

    Raises:
        UserError: A variable is not set.
    """
    filled = os.path.expandvars(text)
    unset = re.search(r"\$\{?(\w+)\}?", filled)
    if unset:
        raise UserError(
            f"{key} is '{text}', but the environment variable {unset[1]} is not set: set it, or "
            f"give {key} as a plain path."
        )
    return (base or Path()).joinpath(Path(filled).expanduser()).absolute()


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
