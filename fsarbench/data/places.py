"""Folders that users name, with `~` and variables in them."""

import os
import re
from pathlib import Path

from fsarbench.errors import UserError


def expanded(text: str, key: str, base: Path | None = None) -> Path:
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
