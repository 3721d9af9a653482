"""Hub downloads, short error messages and muted or hidden libraries, for the loaders of weights.

This module imports none of the libraries of models, so that one does not load another.
"""

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from huggingface_hub import constants, try_to_load_from_cache
from huggingface_hub.utils import get_session

from fsarbench.errors import UserError

# Timeout in seconds of the check that the hub can be reached.
HUB_TIMEOUT = 10

# Files of which a model of transformers has one.
SAFETENSORS = ("model.safetensors", "model.safetensors.index.json")


def weights_file(pretrained: str) -> Path:
    """Path of a local weights file, with `~` and environment variables expanded."""
    return Path(os.path.expandvars(pretrained)).expanduser()


def cached_file(repository: str, names: Sequence[str]) -> Path | None:
    """First of the named files of a hub repository that is in the local cache."""
    for name in names:
        path = try_to_load_from_cache(repository, name)
        if isinstance(path, str):
            return Path(path)
    return None


def fetch(
    weights: str,
    get: Callable[[], str],
    elsewhere: str = "",
    options: str = "",
    hub: bool = True,
    local: str = "file",
) -> Path:
    """Download a weights file; fail at once if the hub cannot be reached.

    Args:
        weights: Description of the weights for error messages.
        get: Function that downloads the file and returns its path.
        elsewhere: Other folders that were searched, for the error message.
        options: Other config keys that need a local file, for the error message.
        hub: Whether the file is on the hub.
        local: Kind of path that can replace the download, `file` or `folder`.

    Raises:
        UserError: The download failed.
    """
    try:
        if hub:
            reach_hub()
        return Path(get())
    except Exception as error:
        message = unreachable(weights, error, elsewhere, options, local)
        raise UserError(message) from error


def reach_hub() -> None:
    """Ask the hub for an answer; without this, an unreachable hub costs almost a minute of retries.

    Raises:
        Exception: There is no answer within the timeout; which class depends on the reason.
    """
    get_session().head(constants.ENDPOINT, timeout=HUB_TIMEOUT)


def unreachable(
    weights: str, error: Exception, elsewhere: str = "", options: str = "", local: str = "file"
) -> str:
    """Error message on weights that cannot be downloaded; arguments as those of `fetch`."""
    return (
        f"The weights {weights} are not on this machine and cannot be downloaded "
        f"({type(error).__name__}: {error}). Looked in {constants.HF_HUB_CACHE}{elsewhere}. "
        "Run once where the hub can be reached (HF_HOME sets the folder of the cache), or name "
        f"a local {local}: --set backbone.pretrained={local.upper()}{options}."
    )


def first_line(error: Exception) -> str:
    """Type and first 300 characters of a library's error, in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Mute the libraries' warnings about random weights, which are requested on purpose."""
    previous = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(previous)


@contextlib.contextmanager
def as_if_absent(*names: str) -> Iterator[None]:
    """Make imports of libraries fail in a `with` block, as if they were not installed.

    Libraries that are imported already stay as they are.

    Args:
        names: Names of the libraries.
    """
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # Python raises ImportError for None.
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
