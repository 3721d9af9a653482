"""Files of a frame store: settings, index of videos, and the journal of an unfinished store.

The settings are written first and the index last. Until then, the journal lists the stored videos.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

from fsarbench.data.annotation_tables import write_rows
from fsarbench.data.frame_store.formats import SUFFIX, Format
from fsarbench.errors import UserError
from fsarbench.runtime.atomic_files import write_with_parents

SETTINGS, INDEX, JOURNAL, FRAMES = "store.json", "index.csv", "journal.jsonl", "frames"
VERSION = 1


@dataclass(frozen=True)
class StoreSettings:
    """Size and format of the frames in a store.

    Attributes:
        size: Maximum short side in pixels, to which larger frames are downscaled; None for the size
            of the videos.
        format: `raw` or `jpeg`.
    """

    size: int | None
    format: Format

    def __post_init__(self) -> None:
        if self.size is not None and self.size < 1:
            raise UserError(f"--size {self.size}: expected 1 or more pixels, or none.")
        if self.format not in SUFFIX:
            raise UserError(f"--format {self.format}: expected {' or '.join(SUFFIX)}.")

    @property
    def folder_name(self) -> str:
        """Default folder name of a store.

        Example:
            >>> StoreSettings(256, "raw").folder_name
            'store-256-raw'
        """
        return f"store-{self.size or 'full'}-{self.format}"

    def __str__(self) -> str:
        size = "as in the videos" if self.size is None else f"at most {self.size} pixels"
        return f"{self.format}, short side {size}"


@dataclass(frozen=True)
class Stored:
    """Index entry of one stored video.

    Attributes:
        path: Path of the video, relative to the folder of the videos.
        frames: Number of frames.
        bytes: Size of its file in the store.
        stamp: Size and modification time of the video when it was decoded.
        digest: Hash over the bytes of the video.
    """

    path: str
    frames: int
    bytes: int
    stamp: str
    digest: str


def frames_file(store: Path, settings: StoreSettings, path: str) -> Path:
    """File of a video's frames in the store."""
    return store / FRAMES / (path + SUFFIX[settings.format])


def read_settings(store: Path) -> StoreSettings | None:
    """Read the settings of a store; None if there is no store.

    Raises:
        UserError: The settings file is damaged or has another version.
    """
    file = store / SETTINGS
    if not file.is_file():
        return None
    try:
        values = json.loads(file.read_bytes())
        if values.pop("version") == VERSION:
            return StoreSettings(**values)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        pass
    raise UserError(
        f"{file} is damaged or was written by another version of fsarbench: delete the folder "
        f"{store} and create the store again with `fsarbench data cache`."
    )


def write_settings(store: Path, settings: StoreSettings) -> None:
    """Write the settings of a new store."""
    content = {"version": VERSION, **asdict(settings)}
    write_with_parents(store / SETTINGS, (json.dumps(content, indent=1) + "\n").encode())


def read_index(store: Path) -> dict[str, Stored]:
    """Read the index of a store by path; empty if the store was never finished.

    Raises:
        UserError: The index cannot be read.
    """
    file = store / INDEX
    if not file.is_file():
        return {}
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            _, *rows = csv.reader(lines)
        return {
            path: Stored(path, int(frames), int(size), stamp, digest)
            for path, frames, size, stamp, digest in rows
        }
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(
            f"{file} is damaged ({error}): delete it and run `fsarbench data cache` again."
        ) from error


def write_index(store: Path, videos: Mapping[str, Stored]) -> None:
    """Write the index, sorted by path, and delete the journal."""
    columns = [field.name for field in fields(Stored)]
    rows = [[str(value) for value in astuple(videos[path])] for path in sorted(videos)]
    write_rows(store / INDEX, columns, rows)
    (store / JOURNAL).unlink(missing_ok=True)


def read_journal(store: Path) -> dict[str, Stored]:
    """Read the videos stored since the index was written; incomplete lines are ignored."""
    try:
        with (store / JOURNAL).open(encoding="utf-8", errors="replace") as lines:
            return {video.path: video for video in _complete_lines(lines)}
    except FileNotFoundError:
        return {}


@contextmanager
def journal(store: Path) -> Iterator[Callable[[Stored], None]]:
    """Open the journal; yield a function that appends a stored video."""
    with (store / JOURNAL).open("ab") as file:
        # The last line may be incomplete; the next one must not be appended to it.
        file.write(b"\n")

        def append(video: Stored) -> None:
            file.write(json.dumps(asdict(video)).encode() + b"\n")
            file.flush()

        yield append


def _complete_lines(lines: Iterable[str]) -> Iterator[Stored]:
    for line in lines:
        try:
            yield Stored(**json.loads(line))
        except (ValueError, TypeError):
            continue
