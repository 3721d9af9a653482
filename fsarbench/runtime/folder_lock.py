"""A folder is written by one process at a time: who comes second is told so."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from fsarbench.errors import UserError

LOCK = ".lock"
# Decoding processes that outlive a killed run hold its lock until they notice, within 5 s.
PATIENCE = 10.0


@contextmanager
def locked_folder(folder: Path, patience: float = PATIENCE) -> Iterator[Path]:
    """Holds a folder, which is made if it is missing; taken away again if nothing was put there.

    The lock is the operating system's, so that it ends with the process, however that ends.

    Args:
        folder: The folder.
        patience: Seconds to wait for another process that holds it.

    Raises:
        UserError: Another process holds it, or it cannot be written.
    """
    made = _make(folder)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        raise UserError(
            f"{folder} is being written by another process. Wait until that ends, or name another "
            "folder."
        ) from None
    except (OSError, NotImplementedError) as error:
        raise UserError(
            f"{folder} cannot be locked ({error}): allow writing there, or name another folder."
        ) from error
    try:
        yield folder
    finally:
        if is_used(folder):
            lock.release()
        else:
            (folder / LOCK).unlink(missing_ok=True)
            lock.release()
            _unmake([folder, *made])


def is_used(folder: Path) -> bool:
    """Whether a folder holds anything but its lock.

    Example:
        >>> is_used(Path("no such folder"))
        False
    """
    return folder.is_dir() and any(path.name != LOCK for path in folder.iterdir())


def claim_new(folder: Path) -> bool:
    """Makes a folder that no other process has; False if it is there already.

    Raises:
        UserError: It cannot be made.
    """
    _make(folder.parent)
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    except OSError as error:
        raise _cannot_make(folder, error) from error
    return True


def _make(folder: Path) -> list[Path]:
    made = [path for path in folder.parents if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_make(folder, error) from error
    return made


def _unmake(folders: list[Path]) -> None:
    # One that holds something meanwhile stays, and so do those above it.
    with contextlib.suppress(OSError):
        for folder in folders:
            folder.rmdir()


def _cannot_make(folder: Path, error: OSError) -> UserError:
    return UserError(
        f"{folder} cannot be made ({error.strerror}): allow writing there, or name another folder."
    )
