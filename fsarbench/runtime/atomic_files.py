"""Atomic file writes."""

import os
import platform
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fsarbench.errors import UserError

# Temporary files contain machine and process id, so that only files of dead processes are removed.
_TEMPORARY = re.compile(r"\..*\.(?P<machine>[^.]*)-(?P<process>\d+)\.part")


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary file next to `path` that replaces it at the end of the `with` block.

    Other processes see the old file or the complete new one. If the block raises an error, the
    temporary file is deleted.
    """
    temporary = path.with_name(f".{path.name}.{_machine()}-{os.getpid()}.part")
    try:
        # Some writers (safetensors) create files that only their owner may read. The final file
        # gets the mode of a new empty file instead, as the umask defines.
        temporary.touch()
        mode = stat.S_IMODE(temporary.stat().st_mode)
        yield temporary
        temporary.chmod(mode)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, data: bytes) -> None:
    """Write bytes atomically into an existing folder."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_with_parents(path: Path, data: bytes) -> None:
    """Write bytes atomically and create missing folders; errors are `OSError`s."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, data)


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes atomically and create missing folders.

    Raises:
        UserError: The file cannot be written.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe or device must not be replaced
            path.write_bytes(content)
            return
        write_with_parents(path, content)
    except OSError as error:
        raise cannot_write(path, error) from error


def require_writable(path: Path, option: str, folder: bool = False) -> None:
    """Check before long computations that an output can be written; leave no file.

    Args:
        path: Output file or folder.
        option: Command-line option of the output, for the message.
        folder: Whether the output is a folder.

    Raises:
        UserError: The output cannot be written.
    """
    try:
        if path.exists() and path.is_dir() != folder:
            if folder or path.is_dir():
                kind = "not a folder" if folder else "a folder"
                raise UserError(f"{option} {path} exists and is {kind}. Choose another path.")
            return  # an existing file is replaced; a pipe or device is written to
        existing = path if folder else path.parent
        while not existing.exists():
            existing = existing.parent
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise cannot_write(path, error, option) from error


def cannot_write(path: Path, error: OSError, option: str = "") -> UserError:
    """Error for an output that cannot be written."""
    prefix = f"{option}: " if option else ""
    return UserError(
        f"{prefix}cannot write {path}: {error.strerror or error}. Choose a writable path with "
        "enough disk space."
    )


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Convert write errors of a block into `UserError`s, also those of torch and safetensors.

    The writers of torch and safetensors raise exceptions other than `OSError` if a disk is full.

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
            f"cannot write {path}: {error}. Choose a writable path with enough disk space."
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write text atomically and create missing folders.

    Raises:
        UserError: The file cannot be written.
    """
    write_bytes(path, text.encode())


def remove_stale_files(folder: Path, below: bool = False) -> None:
    """Remove temporary files of killed processes of this machine from a folder.

    Args:
        folder: Folder to clean up.
        below: Whether to clean up its subfolders as well.
    """
    for current, subfolders, names in os.walk(folder):
        if not below:
            subfolders.clear()
        for name in names:
            match = _TEMPORARY.fullmatch(name)
            if match and match["machine"] == _machine() and not is_alive(int(match["process"])):
                Path(current, name).unlink(missing_ok=True)


def _machine() -> str:
    return re.sub(r"[^\w-]", "_", platform.node())[:40]


def is_alive(process: int) -> bool:
    """Whether a process of this machine exists; True where this cannot be found out."""
    if os.name != "posix":  # on Windows, os.kill would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # a process of another user
        return True
    return True
