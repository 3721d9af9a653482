"""Where the videos of a list are below a folder, whatever their suffix and layout."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import av

from fsarbench.data.importing.class_names import plain
from fsarbench.data.importing.split_lists import TIME, Listed
from fsarbench.data.readers.streams import best_stream, frames_in_index, timeline
from fsarbench.data.video_files import FRAME, without_suffix
from fsarbench.errors import UserError


@dataclass(frozen=True)
class Header:
    """Frames, frames per second, and width x height in pixels; empty if not in the header."""

    frames: str = ""
    fps: str = ""
    size: str = ""


def probe(path: Path) -> Header:
    """The header of a file or of a folder of frames; an empty one if it cannot be read.

    Files whose header cannot be relied on (AVI, ...) are decoded once to count their frames.
    Whether videos can be decoded is found out by `fsarbench data check`.
    """
    try:
        if path.is_dir():
            count = sum(1 for entry in os.scandir(path) if FRAME.fullmatch(entry.name))
            return Header(frames=str(count))
        if path.stat().st_size == 0:
            return Header()
        with av.open(str(path)) as container:
            stream = best_stream(container)
            if stream is None:
                return Header()
            header, known = _header(stream), frames_in_index(container, stream)
        if not header.frames or known:
            return replace(header, frames=str(known or ""))
        # What such headers say is often wrong; an AVI of XviD counts packets without a frame.
        return replace(header, frames=str(timeline(path).count))
    except (av.FFmpegError, OSError, ValueError, UserError):
        return Header()


def probe_all(paths: Iterable[Path], advance: Callable[[], None]) -> Iterator[Header]:
    """The headers of many files, in their order."""
    # Threads wait for the disk, which may be far away, more than they compute.
    with ThreadPoolExecutor(8) as pool:
        for header in pool.map(probe, paths):
            advance()
            yield header


def _header(stream: "av.VideoStream") -> Header:
    rate = stream.average_rate
    size = f"{stream.width}x{stream.height}" if stream.width and stream.height else ""
    return Header(str(stream.frames or ""), f"{float(rate):.6g}" if rate else "", size)


@dataclass
class Found:
    """All videos below a folder.

    Attributes:
        by_name: Paths below the folder, with `/`, by the video's name without suffix.
        by_identity: Names by what is left of them without the seconds at their end.
        closed: Folders that could not be listed.
    """

    by_name: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    by_identity: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    closed: list[str] = field(default_factory=list)

    def add(self, path: str) -> None:
        """Note a video file, or a folder of frames."""
        name = _key(without_suffix(path.rpartition("/")[2]))
        self.by_name[name].append(path)
        if TIME.search(name):
            self.by_identity[TIME.sub("", name)].append(name)


def find_videos(root: Path) -> Found:
    """All video files and folders of extracted frames below a folder, links followed.

    Raises:
        UserError: There is no such folder.
    """
    if not root.is_dir():
        raise UserError(f"--videos: there is no folder {root}.")
    found = Found()
    # Links may lead round in a circle, so each folder is entered once.
    entered: set[tuple[int, int]] = set()
    waiting = [""]
    while waiting:
        below = waiting.pop()
        try:
            status = (root / below).stat()
            if (status.st_dev, status.st_ino) in entered:
                continue
            entered.add((status.st_dev, status.st_ino))
            waiting += _sort_into(found, root, below)
        except OSError:
            found.closed.append(below or str(root))
    return found


def choose(found: Found, video: Listed, class_name: str, timed: bool) -> str | None:
    """The path of a listed video below the folder, None if it is not there.

    Among several, one in a folder of the video's class goes first, then one whose path ends as the
    list says, then files before folders of frames, then the first by name.

    Args:
        found: What is there.
        video: The line of the list.
        class_name: The name of its class.
        timed: Whether ids may have or lack the seconds at their end.
    """
    paths = [path for name in _names(found, video, timed) for path in found.by_name.get(name, ())]
    if not paths:
        return None
    wanted = {plain(class_name), plain(video.folder)} - {""}

    def rank(path: str) -> tuple[bool, bool, bool, str]:
        folder, _, name = path.rpartition("/")
        in_class = plain(folder.rpartition("/")[2]) in wanted
        return not in_class, not path.endswith(str(video.path)), name == without_suffix(name), path

    return min(paths, key=rank)


def _names(found: Found, video: Listed, timed: bool) -> Iterator[str]:
    name = _key(video.id)
    yield name
    if timed and TIME.search(name):
        yield TIME.sub("", name)
    elif timed:
        yield from found.by_identity.get(name, ())


def _key(name: str) -> str:
    # Some file systems take accents apart.
    return unicodedata.normalize("NFC", name)


def _sort_into(found: Found, root: Path, below: str) -> list[str]:
    prefix = f"{below}/" if below else ""
    folders: list[str] = []
    files: list[str] = []
    with os.scandir(root / below) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            (folders if _is_folder(entry) else files).append(entry.name)
    videos = [name for name in files if without_suffix(name) != name]
    if below and not videos and any(FRAME.fullmatch(name) for name in files):
        found.add(below)
    for name in videos:
        found.add(prefix + name)
    return [prefix + name for name in folders]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
