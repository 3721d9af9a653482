"""Facts of examined videos, and the journal that keeps them so that a check can resume."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from fsarbench.data.annotation_tables import write_text
from fsarbench.errors import UserError

Kind = Literal["", "missing", "unreadable", "truncated", "slow", "crash"]


@dataclass(frozen=True)
class Facts:
    """Facts of one examined video.

    Attributes:
        stamp: Size and modification time; if they change, the video is examined again.
        frames: Number of frames that could be decoded.
        header: Number of frames in the header; 0 if the header has none.
        digest: Hash over the decoded frames; empty for a video without frames.
        kind: Fault that makes the video unreadable; empty if there is none.
        reason: Description of the fault.
    """

    stamp: str = ""
    frames: int = 0
    header: int = 0
    digest: str = ""
    kind: Kind = ""
    reason: str = ""

    @property
    def lasting(self) -> bool:
        """Whether the facts hold as long as the file does not change.

        A missing file, a time-out and a crash may not happen at the next attempt.
        """
        return bool(self.stamp) and self.kind not in ("missing", "slow", "crash")


def read_journal(path: Path) -> dict[str, Facts]:
    """Facts in a journal by path; incomplete lines are ignored."""
    facts: dict[str, Facts] = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                name, values = json.loads(line)
                facts[name] = Facts(**values)
            except (ValueError, TypeError):
                continue
    return facts


def write_journal(path: Path, facts: Mapping[str, Facts]) -> None:
    """Write a complete journal with the lasting facts, in the given order.

    Raises:
        UserError: The journal cannot be written.
    """
    lasting = {name: video for name, video in facts.items() if video.lasting}
    write_text(path, "".join(_line(name, video) for name, video in lasting.items()))


@contextmanager
def journal(path: Path) -> Iterator[Callable[[str, Facts], None]]:
    """Open a journal; yield a function that appends the facts of a video.

    Raises:
        UserError: The journal cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            # The last line may be incomplete; the next one must not be appended to it.
            file.write(b"\n")

            def append(name: str, facts: Facts) -> None:
                file.write(_line(name, facts).encode())
                file.flush()

            yield append
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror or error}. Change the permissions, or choose "
            "another file with --out."
        ) from error


def _line(name: str, facts: Facts) -> str:
    return json.dumps([name, asdict(facts)]) + "\n"
