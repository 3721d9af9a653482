"""Reading of a folder of lists of either family, told apart by the names of their files."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fsarbench.data.importing.listed import Listed, lines_of, parsed, refuse
from fsarbench.data.splits import NUMBERED, SPLITS
from fsarbench.errors import UserError
from fsarbench.video import SplitName

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
