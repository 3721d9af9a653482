"""One line of a circulating list, in the form that both families share."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fsarbench.data.video_files import without_suffix
from fsarbench.errors import UserError
from fsarbench.video import SplitName

TIME = re.compile(r"_\d{6}_\d{6}$")
# Faults of one list that are told at once.
TOLD = 5


@dataclass(frozen=True)
class Listed:
    """One video of a list.

    Attributes:
        place: The file and line, for messages.
        split: The split that the list is of.
        group: Its class as the list writes it: a name, or `train8`.
        path: The rest of the line, below which the video was found by the list's author.
    """

    place: str
    split: SplitName
    group: str
    path: PurePosixPath

    @property
    def id(self) -> str:
        """The video's own name, without folders and suffix."""
        return without_suffix(self.path.name)

    @property
    def folder(self) -> str:
        """The folder of the video in the list, empty if the list names none."""
        return self.path.parent.name

    def identity(self, timed: bool) -> str:
        """What tells the video from all others, whichever list it is in."""
        return TIME.sub("", self.id) if timed else self.id


def lines_of(path: Path) -> list[tuple[str, str]]:
    """The lines of a list that are not empty, each with its place; line ends of any system.

    Raises:
        UserError: The file cannot be read as text, or has no line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The list {path} cannot be read as UTF-8 text: {error}.") from error
    lines = [line.strip() for line in text.split("\n")]
    found = [(f"{path}, line {n}", line) for n, line in enumerate(lines, 1) if line]
    if not found:
        raise UserError(f"The list {path} is empty: fetch it again.")
    return found


def parsed(place: str, split: SplitName, line: str) -> Listed:
    """A line `class/path`; the path may begin with more slashes, and may not lead out.

    Raises:
        UserError: There is no class or no path, or the path contains `..`.
    """
    group, _, rest = line.partition("/")
    path = PurePosixPath(rest.replace("\\", "/").lstrip("/"))
    if not group.strip() or not path.name:
        raise UserError(f"{place}: expected 'class/video', found '{line}'.")
    if ".." in (*path.parts, group):
        raise UserError(
            f"{place}: '{line}' contains '..'; a list may not reach outside the folder of videos."
        )
    return Listed(place, split, group.strip(), path)


def refuse(faults: Iterable[str]) -> None:
    """Raises one `UserError` for the first few faults and the number of the others."""
    listed = list(faults)
    if listed:
        more = [f"and {len(listed) - TOLD} more like these"] if len(listed) > TOLD else []
        raise UserError("\n  ".join([*listed[:TOLD], *more]))
