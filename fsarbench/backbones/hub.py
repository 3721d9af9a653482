"""Helpers of the loaders for open_clip and timm models: hub files, short messages, quiet logs.

This module imports neither library, so that a model of one does not load the other.
"""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from huggingface_hub import constants, try_to_load_from_cache
from huggingface_hub.utils import get_session

from fsarbench.errors import UserError

# Seconds in which the hub must answer at all before a download is tried: without this check an
# unreachable hub costs most of a minute of retries.
HUB_TIMEOUT = 10


def weights_file(pretrained: str) -> Path:
    """The path that `pretrained` names where it is no tag."""
    return Path(os.path.expandvars(pretrained)).expanduser()


def cached_file(repository: str, names: Sequence[str]) -> Path | None:
    """The first of some files of a hub repository that is in the local cache."""
    for name in names:
        found = try_to_load_from_cache(repository, name)
        if isinstance(found, str):
            return Path(found)
    return None


def fetch(
    weights: str, get: Callable[[], str], elsewhere: str = "", options: str = "", hub: bool = True
) -> Path:
    """Download a weights file; an unreachable hub is given up at once.

    Args:
        weights: What they are called in a message.
        get: Downloads the file and returns its path.
        elsewhere: Other places where the file was looked for, for the message.
        options: Other keys that a local file has to be set for, for the message.
        hub: Whether the file is on the hub.

    Raises:
        UserError: The download failed.
    """
    try:
        if hub:
            get_session().head(constants.ENDPOINT, timeout=HUB_TIMEOUT)
        return Path(get())
    except Exception as error:
        raise UserError(
            f"The weights {weights} are not on this machine and cannot be fetched "
            f"({type(error).__name__}: {error}). Looked in {constants.HF_HUB_CACHE}{elsewhere}. "
            "Run once where the hub can be reached (the cache is found through HF_HOME), or name "
            f"a local file: --set backbone.pretrained=FILE{options}."
        ) from error


def first_line(error: Exception) -> str:
    """The beginning of an error of a library, short enough for one message."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence warnings of random weights, which are asked for by name here."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
