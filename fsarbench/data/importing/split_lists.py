"""Reading of a folder of lists of either family, told apart by the names of their files."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from fsarbench.data.splits import NUMBERED, SPLITS
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


Family = Literal["TRX", "CLIP-FSAR"]
FILES: dict[Family, re.Pattern[str]] = {
    "TRX": re.compile(r"(train|val|test)list\d*\.txt"),
    "CLIP-FSAR": re.compile(r"(train|val|test)_few_shot\.txt"),
}
EXPECTED = (
    "either TRX's lists (trainlist03.txt, vallist03.txt, testlist03.txt) or CLIP-FSAR's "
    "(train_few_shot.txt, val_few_shot.txt, test_few_shot.txt)"
)
CLASS_NAMES = "class_names.json"


@dataclass(frozen=True)
class Lists:
    """The videos of three splits as somebody listed them.

    Attributes:
        family: Whose layout the lists have.
        videos: All lines, train before val before test.
        names: Class names by split and number, where a file beside the lists gives them.
    """

    family: Family
    videos: tuple[Listed, ...]
    names: dict[str, list[str]]


def read_lists(folder: Path, timed: bool = False) -> Lists:
    """The lists in a folder.

    Args:
        folder: Where they are.
        timed: Whether the seconds at the end of an id are no part of it.

    Raises:
        UserError: There are none, or too many, or lines that cannot be right; several are told at
            once, each with its place.
    """
    family, files = _found(folder)
    videos: list[Listed] = []
    faults: list[str] = []
    for split in SPLITS:
        for place, line in lines_of(files[split]):
            try:
                videos.append(_listed(family, place, split, line))
            except UserError as error:
                faults.append(str(error))
    refuse([*faults, *_twice(videos, timed), *_in_two_splits(videos)])
    return Lists(family, tuple(videos), _names(folder / CLASS_NAMES))


def _found(folder: Path) -> tuple[Family, dict[SplitName, Path]]:
    if not folder.is_dir():
        raise UserError(f"--splits: there is no folder {folder}; it has to hold {EXPECTED}.")
    files = {family: _files(folder, pattern) for family, pattern in FILES.items()}
    here = [family for family in FILES if files[family]]
    if len(here) != 1:
        raise UserError(_none(folder) if not here else f"--splits: {folder} holds lists of both.")
    chosen = files[here[0]]
    for split in SPLITS:
        if len(chosen.get(split, ())) != 1:
            names = ", ".join(path.name for path in chosen.get(split, ())) or "none"
            raise UserError(
                f"--splits: {folder} has to hold one list for each of train, val and test; for "
                f"{split} it has {names}."
            )
    return here[0], {split: chosen[split][0] for split in SPLITS}


def _files(folder: Path, pattern: re.Pattern[str]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        match = pattern.fullmatch(path.name)
        if match:
            found.setdefault(match[1], []).append(path)
    return found


def _none(folder: Path) -> str:
    below = [
        path.name
        for path in sorted(folder.iterdir())
        if path.is_dir() and any(_files(path, pattern) for pattern in FILES.values())
    ]
    hint = f" There are lists in its folders {', '.join(below)}: name one of them." if below else ""
    return f"--splits: {folder} holds no lists; expected {EXPECTED}.{hint}"


def _listed(family: Family, place: str, split: SplitName, line: str) -> Listed:
    video = parsed(place, split, line)
    anonymous = NUMBERED.fullmatch(video.group)
    if family == "CLIP-FSAR" and not anonymous:
        raise UserError(f"{place}: expected '{split}' and a number before '/', found '{line}'.")
    if anonymous and anonymous[1] != split:
        raise UserError(f"{place}: the class {video.group} stands in the list of {split}.")
    return video


def _twice(videos: list[Listed], timed: bool) -> Iterator[str]:
    first: dict[str, Listed] = {}
    for video in videos:
        before = first.setdefault(video.identity(timed), video)
        if before is not video:
            yield f"{video.place}: the video {video.id} is listed before, at {before.place}."


def _in_two_splits(videos: list[Listed]) -> Iterator[str]:
    first: dict[str, Listed] = {}
    told = set()
    for video in videos:
        before = first.setdefault(video.group, video)
        if before.split != video.split and video.group not in told:
            told.add(video.group)
            yield (
                f"{video.place}: the class '{video.group}' is in {video.split}, but in "
                f"{before.split} at {before.place}."
            )


def _names(path: Path) -> dict[str, list[str]]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        return {split: [str(name) for name in names] for split, names in content.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise UserError(
            f"{path} cannot be read as a JSON object of lists of class names: {error}."
        ) from error
