"""Address of a repository on the hub, and messages for what can go wrong with it."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import huggingface_hub
from huggingface_hub import errors

from fsarbench import __version__
from fsarbench.errors import UserError
from fsarbench.experiments.hub import PREFIX

REPO = re.compile(r"[\w.-]+/[\w.-]+")
REVISION = re.compile(r"[\w./-]+")
LIBRARY = "fsarbench"
# Packages of the exceptions for a connection that fails; their names depend on the version.
CONNECTION = ("httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3")
NO_PERMISSION = (401, 403)


@dataclass(frozen=True)
class HubAddress:
    """Repository and revision.

    Attributes:
        repo: Owner and name, `OWNER/NAME`.
        revision: Branch, tag or commit; None for the main branch.
    """

    repo: str
    revision: str | None = None

    def __str__(self) -> str:
        return f"{PREFIX}{self.repo}" + (f"@{self.revision}" if self.revision else "")


def parse_address(text: str) -> HubAddress:
    """Address of `hub:OWNER/NAME` or `hub:OWNER/NAME@REVISION`; the prefix may be missing.

    Raises:
        UserError: The text has another form.

    Example:
        >>> parse_address("hub:me/mafsar@v1")
        HubAddress(repo='me/mafsar', revision='v1')
    """
    repo, at, revision = text.removeprefix(PREFIX).partition("@")
    if not REPO.fullmatch(repo) or ".." in text or (at and not REVISION.fullmatch(revision)):
        raise UserError(
            f"'{text}' is no repository of the hub: expected OWNER/NAME, or {PREFIX}OWNER/NAME"
            "@REVISION with a branch, tag or commit."
        )
    return HubAddress(repo, revision or None)


def endpoint() -> str:
    """Address of the hub; `HF_ENDPOINT` sets another one."""
    return os.environ.get("HF_ENDPOINT") or huggingface_hub.constants.ENDPOINT


def client() -> huggingface_hub.HfApi:
    """Client of the hub; the token is that of `hf auth login` or `HF_TOKEN`."""
    return huggingface_hub.HfApi(
        endpoint=endpoint(), library_name=LIBRARY, library_version=__version__
    )


@contextmanager
def hub_errors(address: HubAddress) -> Iterator[None]:
    """Turn errors of the hub into messages that say what to do.

    Raises:
        UserError: The repository is missing, private or gated, or the hub cannot be reached.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        message = _message(address, error)
        if message is None:
            raise
        # The chain would show requests with their headers.
        raise UserError(message) from None


def is_unreachable(error: Exception) -> bool:
    """Whether an error means that the hub could not be reached."""
    unreachable = (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError, ConnectionError)
    package = type(error).__module__.partition(".")[0]
    return isinstance(error, unreachable) or (
        package in CONNECTION and not isinstance(error, errors.HfHubHTTPError)
    )


def _message(address: HubAddress, error: Exception) -> str | None:
    log_in = "log in with `hf auth login`, or set HF_TOKEN"
    if isinstance(error, errors.GatedRepoError):
        return f"{address}: its owner asks for consent. Give it on the model's page, then {log_in}."
    if isinstance(error, errors.RepositoryNotFoundError):
        return (
            f"{address}: there is no such repository on {endpoint()}, or it is private. Check "
            f"owner and name; for a private one {log_in}."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{address}: the repository has no branch, tag or commit '{address.revision}'."
    if is_unreachable(error):
        return (
            f"{address}: {endpoint()} cannot be reached ({type(error).__name__}), and the model is "
            "not in the cache of this machine. Load it once where the hub can be reached (HF_HOME "
            "sets the folder of the cache); HF_HUB_OFFLINE=1 forbids every connection."
        )
    if isinstance(error, errors.HfHubHTTPError):
        status = getattr(error.response, "status_code", None)
        if status in NO_PERMISSION:
            return (
                f"{address}: the hub allows this only with another token (HTTP {status}): {log_in}."
            )
        return f"{address}: the hub answered with an error (HTTP {status}). Try again later."
    if isinstance(error, errors.LocalTokenNotFoundError):
        return f"{address}: no token of the hub: {log_in}."
    return None
