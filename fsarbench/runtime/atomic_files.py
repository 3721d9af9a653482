"""Files that appear whole or not at all."""

import os
import platform
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fsarbench.errors import UserError

# The machine and the process that write, so that nobody else's half is taken for a leftover.
_PART = re.compile(r"\..*\.(?P<machine>[^.]*)-(?P<process>\d+)\.part")


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to; it takes its name once the `with` block is through.

    A reader sees the old file or the new one, and a failed write leaves nothing.
    """
    aside = path.with_name(f".{path.name}.{_machine()}-{os.getpid()}.part")
    try:
        # Some writers (safetensors) make files that only their owner reads; ours have the mode that
        # the umask leaves, which an empty file shows.
        aside.touch()
        mode = stat.S_IMODE(aside.stat().st_mode)
        yield aside
        aside.chmod(mode)
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, data: bytes) -> None:
    """Write bytes into a folder that is there."""
    with atomic_path(path) as aside:
        aside.write_bytes(data)


def write_below(path: Path, data: bytes) -> None:
    """Write bytes, and make the folder where it is missing; faults stay the system's own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, data)


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes, and make the folder where it is missing.

    Raises:
        UserError: The file cannot be written; nothing of it is left.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe or a device keeps its place
            path.write_bytes(content)
            return
        write_below(path, content)
    except OSError as error:
        raise cannot_write(path, error) from error


def require_writable(path: Path, option: str, folder: bool = False) -> None:
    """Find out before long work whether an output can be written; nothing is left there.

    Args:
        path: The output.
        option: The option that names it, for the message.
        folder: Whether the output is a folder.

    Raises:
        UserError: It cannot.
    """
    try:
        if path.exists() and path.is_dir() != folder:
            if folder or path.is_dir():
                kind = "no folder" if folder else "a folder"
                raise UserError(f"{option} {path}: there is {kind} of that name. Name another.")
            return  # a file that is replaced, or a pipe or device that is written to
        place = path if folder else path.parent
        while not place.exists():
            place = place.parent
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise cannot_write(path, error, option) from error


def cannot_write(path: Path, error: OSError, option: str = "") -> UserError:
    """The message on an output that cannot be written."""
    named = f"{option}: " if option else ""
    return UserError(
        f"{named}cannot write {path}: {error.strerror or error}. Name a place that can be written "
        "and has room."
    )


@contextmanager
def written(path: Path) -> Iterator[None]:
    """A block that writes a file with another library's writer, whose faults become a message.

    The writers of torch and safetensors raise errors of their own where a disk is full.

    Raises:
        UserError: The file cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error) from error
    except Exception as error:
        if type(error).__name__ != "SafetensorError" and "PytorchStreamWriter" not in str(error):
            raise
        raise UserError(
            f"cannot write {path}: {error}. Name a place that can be written and has room."
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write text, and make the folder where it is missing.

    Raises:
        UserError: The file cannot be written; nothing of it is left.
    """
    write_bytes(path, text.encode())


def remove_stale_files(folder: Path, below: bool = False) -> None:
    """Take away what writers that were killed on this machine left in a folder.

    Args:
        folder: The folder.
        below: In the folders below it too.
    """
    for place, folders, names in os.walk(folder):
        if not below:
            folders.clear()
        for name in names:
            part = _PART.fullmatch(name)
            if part and part["machine"] == _machine() and not _runs(int(part["process"])):
                Path(place, name).unlink(missing_ok=True)


def _machine() -> str:
    return re.sub(r"[^\w-]", "_", platform.node())[:40]


def _runs(process: int) -> bool:
    if os.name != "posix":  # asking there would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True
