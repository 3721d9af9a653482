"""Split lists in the layout of TRX or CLIP-FSAR, recognised by their file names."""

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
# Maximum number of faults in one message.
MAX_FAULTS = 5


@dataclass(frozen=True)
class ListedVideo:
    """One line of a split list.

    Attributes:
        location: File and line, for messages.
        split: Split of the list.
        label: Class label in the list: a name, or a numbered label such as `train8`.
        path: Path of the video in the list.
    """

    location: str
    split: SplitName
    label: str
    path: PurePosixPath

    @property
    def id(self) -> str:
        """File name of the video without suffix."""
        return without_suffix(self.path.name)

    @property
    def folder(self) -> str:
        """Folder of the video in the list; empty if the list has none."""
        return self.path.parent.name

    def identity(self, timed: bool) -> str:
        """Id of the video in all lists, without start and end seconds if `timed`."""
        return TIME.sub("", self.id) if timed else self.id


def lines_of(path: Path) -> list[tuple[str, str]]:
    """Read the non-empty lines of a list, with their locations.

    Raises:
        UserError: The file is not UTF-8 text, or has no line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The list {path} cannot be read as UTF-8 text: {error}.") from error
    lines = [line.strip() for line in text.split("\n")]
    numbered = [(f"{path}, line {n}", line) for n, line in enumerate(lines, 1) if line]
    if not numbered:
        raise UserError(f"The list {path} is empty: download it again.")
    return numbered


def parse_line(location: str, split: SplitName, line: str) -> ListedVideo:
    """Parse a line `class/path`; further slashes after the class are ignored.

    Raises:
        UserError: The class or the path is missing, or the path contains `..`.
    """
    label, _, rest = line.partition("/")
    path = PurePosixPath(rest.replace("\\", "/").lstrip("/"))
    if not label.strip() or not path.name:
        raise UserError(f"{location}: expected 'class/video', found '{line}'.")
    if ".." in (*path.parts, label):
        raise UserError(
            f"{location}: '{line}' contains '..'; all videos have to be inside the folder of "
            "videos."
        )
    return ListedVideo(location, split, label.strip(), path)


def raise_faults(faults: Iterable[str]) -> None:
    """Raise one `UserError` with the first faults and the number of further ones, if any."""
    messages = list(faults)
    if messages:
        further = len(messages) - MAX_FAULTS
        more = [f"and {further} more like these"] if further > 0 else []
        raise UserError("\n  ".join([*messages[:MAX_FAULTS], *more]))


Family = Literal["TRX", "CLIP-FSAR", "table"]
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
class SplitLists:
    """Content of the train, val and test lists in a folder.

    Attributes:
        family: Layout of the lists; `table` for annotation files with a class split.
        videos: All lines: train, then val, then test.
        names: Class names by split and number, from `class_names.json` next to the lists.
    """

    family: Family
    videos: tuple[ListedVideo, ...]
    names: dict[str, list[str]]


def read_lists(folder: Path, timed: bool = False) -> SplitLists:
    """Read the split lists in a folder.

    Args:
        folder: Folder of the lists.
        timed: Whether ids may end in start and end seconds, which are ignored.

    Raises:
        UserError: A list is missing or ambiguous, or lines are invalid; the message names the
            first invalid lines.
    """
    family, files = _list_files(folder)
    videos: list[ListedVideo] = []
    faults: list[str] = []
    for split in SPLITS:
        for location, line in lines_of(files[split]):
            try:
                videos.append(_parse(family, location, split, line))
            except UserError as error:
                faults.append(str(error))
    raise_faults([*faults, *duplicates(videos, timed), *_in_two_splits(videos)])
    return SplitLists(family, tuple(videos), _read_class_names(folder / CLASS_NAMES))


def _list_files(folder: Path) -> tuple[Family, dict[SplitName, Path]]:
    if not folder.is_dir():
        raise UserError(f"--splits: there is no folder {folder}; expected one with {EXPECTED}.")
    files = {family: _files(folder, pattern) for family, pattern in FILES.items()}
    families = [family for family in FILES if files[family]]
    if not families:
        raise UserError(_no_lists_message(folder))
    if len(families) > 1:
        raise UserError(
            f"--splits: {folder} has lists in the layouts of both {' and '.join(families)}; keep "
            "one of them."
        )
    chosen = files[families[0]]
    for split in SPLITS:
        if len(chosen.get(split, ())) != 1:
            names = ", ".join(path.name for path in chosen.get(split, ())) or "none"
            raise UserError(
                f"--splits: expected one list for each of train, val and test in {folder}; for "
                f"{split} it has {names}."
            )
    return families[0], {split: chosen[split][0] for split in SPLITS}


def _files(folder: Path, pattern: re.Pattern[str]) -> dict[str, list[Path]]:
    by_split: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        match = pattern.fullmatch(path.name)
        if match:
            by_split.setdefault(match[1], []).append(path)
    return by_split


def _no_lists_message(folder: Path) -> str:
    subfolders = [
        path.name
        for path in sorted(folder.iterdir())
        if path.is_dir() and any(_files(path, pattern) for pattern in FILES.values())
    ]
    hint = f" Its subfolders with lists: {', '.join(subfolders)}." if subfolders else ""
    return f"--splits: {folder} has no lists; expected {EXPECTED}.{hint}"


def _parse(family: Family, location: str, split: SplitName, line: str) -> ListedVideo:
    video = parse_line(location, split, line)
    anonymous = NUMBERED.fullmatch(video.label)
    if family == "CLIP-FSAR" and not anonymous:
        raise UserError(f"{location}: expected '{split}' and a number before '/', found '{line}'.")
    if anonymous and anonymous[1] != split:
        raise UserError(f"{location}: the class {video.label} is in the list of {split}.")
    return video


def duplicates(videos: Iterable[ListedVideo], timed: bool) -> Iterator[str]:
    """Messages about videos that are listed twice."""
    first: dict[str, ListedVideo] = {}
    for video in videos:
        before = first.setdefault(video.identity(timed), video)
        if before is not video:
            yield f"{video.location}: the video {video.id} is already listed at {before.location}."


def _in_two_splits(videos: list[ListedVideo]) -> Iterator[str]:
    first: dict[str, ListedVideo] = {}
    reported = set()
    for video in videos:
        before = first.setdefault(video.label, video)
        if before.split != video.split and video.label not in reported:
            reported.add(video.label)
            yield (
                f"{video.location}: the class '{video.label}' is in {video.split}, but in "
                f"{before.split} at {before.location}."
            )


def _read_class_names(path: Path) -> dict[str, list[str]]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        return {split: [str(name) for name in names] for split, names in content.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise UserError(
            f"{path} cannot be read as a JSON object of lists of class names: {error}."
        ) from error
