"""The list of the files of a data set that the project made, written when all are there."""

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
    """One video file of a made data set.

    `path` is relative to the data set's folder; `size` is in bytes; `hash` is over the frames as
    they were drawn, since the bytes of the file depend on the version of x264.
    """

    id: str
    path: str
    class_name: str
    split: str
    frames: int
    size: int
    hash: str

    def intact(self, folder: Path) -> bool:
        """Whether the file is there in its full size."""
        try:
            return (folder / self.path).stat().st_size == self.size
        except OSError:
            return False


@dataclass(frozen=True)
class Manifest:
    """A finished data set: its folder, the hash of its recipe, and its videos in their order."""

    folder: Path
    name: str
    recipe: str
    videos: tuple[Video, ...]

    @cached_property
    def hash(self) -> str:
        """A hash over all frames of all videos: two folders with the same hash hold the same."""
        lines = "".join(f"{v.id} {v.class_name} {v.split} {v.hash}\n" for v in self.videos)
        return hashlib.sha256(lines.encode()).hexdigest()

    def save(self) -> None:
        """Write the manifest into the data set's folder."""
        content = {
            "version": VERSION,
            "name": self.name,
            "recipe": self.recipe,
            "hash": self.hash,
            "videos": [asdict(video) for video in self.videos],
        }
        write_atomically(self.folder / FILE, json.dumps(content, indent=1).encode())


def load(folder: Path) -> Manifest | None:
    """The manifest of a folder, or None if there is none that can be read."""
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
    """A video as one line of the journal that is kept while a data set is made."""
    return json.dumps(asdict(video)) + "\n"


def from_lines(lines: Iterable[str]) -> dict[str, Video]:
    """The videos of a journal by their ids; a line that was cut off is left out."""
    found = {}
    for line in lines:
        try:
            video = Video(**json.loads(line))
        except (ValueError, TypeError):
            continue
        found[video.id] = video
    return found
