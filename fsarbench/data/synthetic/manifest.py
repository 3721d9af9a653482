"""Manifest of a rendered data set: the list of its files, written when all of them exist."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from fsarbench.runtime.atomic_files import write_atomically

FILE = "manifest.json"
VERSION = 1


@dataclass(frozen=True)
class Video:
    """One video file of a rendered data set.

    `path` is relative to the folder of the data set. `size` is in bytes. `hash` is a hash over the
    rendered frames; it is not over the file, whose bytes depend on the version of x264.
    """

    id: str
    path: str
    class_name: str
    split: str
    frames: int
    size: int
    hash: str

    def intact(self, folder: Path) -> bool:
        """Whether the file exists with the expected size."""
        try:
            return (folder / self.path).stat().st_size == self.size
        except OSError:
            return False


@dataclass(frozen=True)
class Manifest:
    """A rendered data set: folder, name, hash of its plan (`recipe`), and videos in order."""

    folder: Path
    name: str
    recipe: str
    videos: tuple[Video, ...]

    @cached_property
    def hash(self) -> str:
        """Hash over ids, classes, splits and frames of all videos."""
        lines = "".join(f"{v.id} {v.class_name} {v.split} {v.hash}\n" for v in self.videos)
        return hashlib.sha256(lines.encode()).hexdigest()

    def save(self) -> None:
        """Write the manifest into the folder of the data set."""
        content = {
            "version": VERSION,
            "name": self.name,
            "recipe": self.recipe,
            "hash": self.hash,
            "videos": [asdict(video) for video in self.videos],
        }
        write_atomically(self.folder / FILE, json.dumps(content, indent=1).encode())


def load(folder: Path) -> Manifest | None:
    """Read the manifest of a folder; None if it is missing, damaged or of another version."""
    try:
        content = json.loads((folder / FILE).read_bytes())
        if content["version"] != VERSION:
            return None
        videos = tuple(Video(**video) for video in content["videos"])
        manifest = Manifest(folder, content["name"], content["recipe"], videos)
        return manifest if manifest.hash == content["hash"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def to_line(video: Video) -> str:
    """Line of a video in the journal of an unfinished data set."""
    return json.dumps(asdict(video)) + "\n"


def from_lines(lines: Iterable[str]) -> dict[str, Video]:
    """Videos in a journal by id; incomplete lines are ignored."""
    videos = {}
    for line in lines:
        try:
            video = Video(**json.loads(line))
        except (ValueError, TypeError):
            continue
        videos[video.id] = video
    return videos
