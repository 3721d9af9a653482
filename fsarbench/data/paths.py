"""Paths of configs and of the data folder."""

import os
import re
from pathlib import Path

from fsarbench.errors import UserError


def expand_path(text: str, key: str, base: Path | None = None) -> Path:
    """Expand `~`, `$NAME` and `${NAME}` in a path.

    Args:
        text: Path as the user wrote it.
        key: Config key of the path, for error messages.
        base: Folder that relative paths start from; None for the working directory.

    Raises:
        UserError: A variable is not set.
    """
    expanded = os.path.expandvars(text)
    unset = re.search(r"\$\{?(\w+)\}?", expanded)
    if unset:
        raise UserError(
            f"{key} is '{text}', but the environment variable {unset[1]} is not set: set it, or "
            f"give {key} as a plain path."
        )
    return (base or Path()).joinpath(Path(expanded).expanduser()).absolute()


VARIABLE = "FSARBENCH_DATA"


def data_home() -> Path:
    """Folder in `FSARBENCH_DATA`, or `fsarbench` in the cache folder of the user."""
    configured = os.environ.get(VARIABLE)
    if configured:
        return Path(configured).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "fsarbench"


def cannot_write(path: Path, error: OSError) -> UserError:
    """Error for data that cannot be written."""
    return UserError(
        f"cannot write {path}: {error.strerror or error}. Free disk space, change the permissions, "
        f"or set {VARIABLE} to a folder on another disk; finished files are kept."
    )
