"""Lock that lets only one process write to a folder."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from fsarbench.errors import UserError

LOCK = ".lock"
# Seconds to wait. Decoding processes of a killed run hold its lock for up to 5 s.
PATIENCE = 10.0


@contextmanager
def locked_folder(folder: Path, patience: float = PATIENCE) -> Iterator[Path]:
    """Lock a folder and create it if necessary; remove it again if it is empty at the end.

    The lock belongs to the operating system, which releases it when the process ends or is killed.

    Args:
        folder: Folder to lock.
        patience: Seconds to wait for another process that holds the lock.

    Raises:
        UserError: Another process holds the lock, or the folder cannot be written.
    """
    created = _create(folder)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        raise UserError(
            f"{folder} is being written by another process. Wait until it ends, or choose another "
            "folder."
        ) from None
    except (OSError, NotImplementedError) as error:
        raise UserError(
            f"{folder} cannot be locked ({error}): change the permissions, or choose another "
            "folder."
        ) from error
    try:
        yield folder
    finally:
        if is_used(folder):
            lock.release()
        else:
            (folder / LOCK).unlink(missing_ok=True)
            lock.release()
            _remove_empty([folder, *created])


def is_used(folder: Path) -> bool:
    """Whether a folder contains anything but its lock.

    Example:
        >>> is_used(Path("no such folder"))
        False
    """
    return folder.is_dir() and any(path.name != LOCK for path in folder.iterdir())


def is_locked(folder: Path) -> bool:
    """Whether another process writes to a folder, on this machine or a shared file system.

    Example:
        >>> is_locked(Path("no such folder"))
        False
    """
    if not (folder / LOCK).is_file():
        return False
    try:
        with FileLock(folder / LOCK).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except (OSError, NotImplementedError):  # as in a folder of another user
        return False


def claim_new(folder: Path) -> bool:
    """Create a folder; return False if it exists, perhaps created by another process.

    Raises:
        UserError: The folder cannot be created.
    """
    _create(folder.parent)
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    except OSError as error:
        raise _cannot_create(folder, error) from error
    return True


def _create(folder: Path) -> list[Path]:
    """Create a folder; return its parents that were created."""
    created = [path for path in folder.parents if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_create(folder, error) from error
    return created


def _remove_empty(folders: list[Path]) -> None:
    # Stops at the first folder that is not empty; its parents are not empty either.
    with contextlib.suppress(OSError):
        for folder in folders:
            folder.rmdir()


def _cannot_create(folder: Path, error: OSError) -> UserError:
    return UserError(
        f"{folder} cannot be created ({error.strerror}): change the permissions, or choose another "
        "folder."
    )
