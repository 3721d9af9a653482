"""Search of listed videos in a folder, for any suffix and folder layout."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import av

from fsarbench.data.importing.class_names import letters_of
from fsarbench.data.importing.split_lists import TIME, ListedVideo
from fsarbench.data.readers.streams import best_stream, frames_in_index, timeline
from fsarbench.data.video_files import FRAME, without_suffix
from fsarbench.errors import UserError


@dataclass(frozen=True)
class Header:
    """Frames, frames per second, and width x height in pixels; empty if unknown."""

    frames: str = ""
    fps: str = ""
    size: str = ""


def probe(path: Path) -> Header:
    """Header of a video file or a folder of frames; empty if it cannot be read.

    Files with an unreliable header (AVI, ...) are decoded once to count their frames. Whether all
    videos can be decoded is checked by `fsarbench data check`.
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
            header, indexed = _header(stream), frames_in_index(container, stream)
        if not header.frames or indexed:
            return replace(header, frames=str(indexed or ""))
        # Such headers are often wrong; for example, AVI files of XviD count packets without frames.
        return replace(header, frames=str(timeline(path).count))
    except (av.FFmpegError, OSError, ValueError, UserError):
        return Header()


def probe_all(paths: Iterable[Path], advance: Callable[[], None]) -> Iterator[Header]:
    """Yield the headers of many files in order."""
    # Threads suffice: most of the time is spent waiting for the disk, which may be remote.
    with ThreadPoolExecutor(8) as pool:
        for header in pool.map(probe, paths):
            advance()
            yield header


def _header(stream: "av.VideoStream") -> Header:
    rate = stream.average_rate
    size = f"{stream.width}x{stream.height}" if stream.width and stream.height else ""
    return Header(str(stream.frames or ""), f"{float(rate):.6g}" if rate else "", size)


@dataclass
class VideoIndex:
    """All videos in a folder and its subfolders.

    Attributes:
        by_name: Paths relative to the folder, with `/`, by file name without suffix.
        by_identity: File names by file name without start and end seconds.
        unreadable: Folders that could not be listed.
    """

    by_name: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    by_identity: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    unreadable: list[str] = field(default_factory=list)

    def add(self, path: str) -> None:
        """Add a video file or a folder of frames."""
        name = _key(without_suffix(path.rpartition("/")[2]))
        self.by_name[name].append(path)
        if TIME.search(name):
            self.by_identity[TIME.sub("", name)].append(name)


def find_videos(root: Path) -> VideoIndex:
    """Index all video files and folders of extracted frames in a folder; links are followed.

    Raises:
        UserError: The folder does not exist.
    """
    if not root.is_dir():
        raise UserError(f"--videos: there is no folder {root}.")
    index = VideoIndex()
    # Each folder is visited once, because links may form a cycle.
    visited: set[tuple[int, int]] = set()
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            status = (root / folder).stat()
            if (status.st_dev, status.st_ino) in visited:
                continue
            visited.add((status.st_dev, status.st_ino))
            pending += _add_folder(index, root, folder)
        except OSError:
            index.unreadable.append(folder or str(root))
    return index


def choose(index: VideoIndex, video: ListedVideo, class_name: str, timed: bool) -> str | None:
    """Path of a listed video relative to the folder; None if it does not exist.

    Of several candidates, prefer one in a folder of the video's class, then one whose path ends
    with the listed path, then files over folders of frames, then the first by name.

    Args:
        index: Videos in the folder.
        video: Line of the list.
        class_name: Name of the video's class.
        timed: Whether ids and file names may differ in start and end seconds.
    """
    names = _file_names(index, video, timed)
    paths = [path for name in names for path in index.by_name.get(name, ())]
    if not paths:
        return None
    class_folders = {letters_of(class_name), letters_of(video.folder)} - {""}

    def rank(path: str) -> tuple[bool, bool, bool, str]:
        folder, _, name = path.rpartition("/")
        in_class = letters_of(folder.rpartition("/")[2]) in class_folders
        return not in_class, not path.endswith(str(video.path)), name == without_suffix(name), path

    return min(paths, key=rank)


def _file_names(index: VideoIndex, video: ListedVideo, timed: bool) -> Iterator[str]:
    name = _key(video.id)
    yield name
    if timed and TIME.search(name):
        yield TIME.sub("", name)
    elif timed:
        yield from index.by_identity.get(name, ())


def _key(name: str) -> str:
    # Some file systems store accents as separate characters.
    return unicodedata.normalize("NFC", name)


def _add_folder(index: VideoIndex, root: Path, folder: str) -> list[str]:
    """Add the videos directly in a folder to the index; return its subfolders."""
    prefix = f"{folder}/" if folder else ""
    folders: list[str] = []
    files: list[str] = []
    with os.scandir(root / folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            (folders if _is_folder(entry) else files).append(entry.name)
    videos = [name for name in files if without_suffix(name) != name]
    if folder and not videos and any(FRAME.fullmatch(name) for name in files):
        index.add(folder)
    for name in videos:
        index.add(prefix + name)
    return [prefix + name for name in folders]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that points to itself
        return False
