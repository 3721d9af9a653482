"""What was found out about one video, and the journal that keeps it while a check goes on."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from fsarbench.data.importing.output import write_text
from fsarbench.errors import UserError

Kind = Literal["", "missing", "unreadable", "truncated", "slow", "crash"]


@dataclass(frozen=True)
class Facts:
    """One examined video.

    Attributes:
        stamp: Size and time of change; another stamp means that it has to be examined again.
        frames: Frames that could be decoded.
        header: Frames that the header promises, 0 if it is silent.
        digest: A hash over the decoded frames, empty for a video without any.
        kind: What is wrong so that it cannot be read, empty if nothing is.
        reason: The same in words.
    """

    stamp: str = ""
    frames: int = 0
    header: int = 0
    digest: str = ""
    kind: Kind = ""
    reason: str = ""

    @property
    def lasting(self) -> bool:
        """Whether it is true as long as the file does not change, and not of this attempt alone."""
        return bool(self.stamp) and self.kind not in ("missing", "slow", "crash")


def read_journal(path: Path) -> dict[str, Facts]:
    """The facts of a journal by path; a line that was cut off is left out."""
    found: dict[str, Facts] = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                name, facts = json.loads(line)
                found[name] = Facts(**facts)
            except (ValueError, TypeError):
                continue
    return found


def write_journal(path: Path, facts: Mapping[str, Facts]) -> None:
    """Write a finished journal: what lasts, in the order given.

    Raises:
        UserError: It cannot be written.
    """
    write_text(path, "".join(_line(name, one) for name, one in facts.items() if one.lasting))


@contextmanager
def journal(path: Path) -> Iterator[Callable[[str, Facts], None]]:
    """Give a function that notes the facts of a video at the end of a journal.

    Raises:
        UserError: The journal cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            # A line that was cut off must not swallow the next one.
            file.write(b"\n")

            def note(name: str, facts: Facts) -> None:
                file.write(_line(name, facts).encode())
                file.flush()

            yield note
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror or error}. Allow writing there, or name another "
            "file with --out."
        ) from error


def _line(name: str, facts: Facts) -> str:
    return json.dumps([name, asdict(facts)]) + "\n"
