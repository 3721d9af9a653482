"""Files that appear whole or not at all."""

import os
import platform
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The machine and the process that write, so that nobody else's half is taken for a leftover.
_PART = re.compile(r"\..*\.(?P<machine>[^.]*)-(?P<process>\d+)\.part")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
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


def write_whole(path: Path, data: bytes) -> None:
    """Write bytes into a folder that is there."""
    with whole(path) as aside:
        aside.write_bytes(data)


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes, and make the folder where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)


def write_text(path: Path, text: str) -> None:
    """Write text, and make the folder where it is missing."""
    write_bytes(path, text.encode())


def sweep(folder: Path, below: bool = False) -> None:
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
