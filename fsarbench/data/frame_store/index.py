"""What is in a store: its settings, written first, and its list of videos, written last."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

from fsarbench.data.frame_store.formats import SUFFIX, Format
from fsarbench.data.importing.output import write_rows
from fsarbench.errors import UserError
from fsarbench.runtime.atomic_files import write_below

SETTINGS, INDEX, JOURNAL, FRAMES = "store.json", "index.csv", "journal.jsonl", "frames"
VERSION = 1


@dataclass(frozen=True)
class StoreSettings:
    """How a store keeps frames.

    Attributes:
        size: The short side in pixels that larger frames are made smaller to; None for no change.
        format: `raw` or `jpeg`.
    """

    size: int | None
    format: Format

    def __post_init__(self) -> None:
        if self.size is not None and self.size < 1:
            raise UserError(f"--size {self.size}: it has to be 1 or more pixels, or none.")
        if self.format not in SUFFIX:
            raise UserError(f"--format {self.format}: it has to be one of {', '.join(SUFFIX)}.")

    def __str__(self) -> str:
        size = "of the videos' own size" if self.size is None else f"of at most {self.size} pixels"
        return f"{self.format}, short side {size}"


@dataclass(frozen=True)
class Stored:
    """One video of a store.

    Attributes:
        path: The video, below the folder of the videos.
        frames: Their number.
        bytes: The size of its file in the store.
        stamp: Size and time of change of the video when it was read.
        digest: A hash over the bytes of the video.
    """

    path: str
    frames: int
    bytes: int
    stamp: str
    digest: str


def frames_file(store: Path, settings: StoreSettings, path: str) -> Path:
    """Where the frames of a video are kept."""
    return store / FRAMES / (path + SUFFIX[settings.format])


def read_settings(store: Path) -> StoreSettings | None:
    """The settings of a store; None where there is no store yet.

    Raises:
        UserError: They are of another version, or no settings.
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
        f"{file} is not of a store that this version can read: take the folder {store} away, and "
        "make it again with `fsarbench data cache`."
    )


def write_settings(store: Path, settings: StoreSettings) -> None:
    """Begin a store."""
    content = {"version": VERSION, **asdict(settings)}
    write_below(store / SETTINGS, (json.dumps(content, indent=1) + "\n").encode())


def read_index(store: Path) -> dict[str, Stored]:
    """The videos of a finished store by path; none where it is not finished.

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
            f"{file} is damaged ({error}): take it away, and run `fsarbench data cache` again."
        ) from error


def write_index(store: Path, videos: Mapping[str, Stored]) -> None:
    """Finish a store; videos come sorted by path."""
    columns = [field.name for field in fields(Stored)]
    rows = [[str(value) for value in astuple(videos[path])] for path in sorted(videos)]
    write_rows(store / INDEX, columns, rows)
    (store / JOURNAL).unlink(missing_ok=True)


def read_journal(store: Path) -> dict[str, Stored]:
    """The videos that were finished since the index was written."""
    try:
        with (store / JOURNAL).open(encoding="utf-8", errors="replace") as lines:
            return {video.path: video for video in _whole_lines(lines)}
    except FileNotFoundError:
        return {}


@contextmanager
def journal(store: Path) -> Iterator[Callable[[Stored], None]]:
    """Give a function that notes a finished video."""
    with (store / JOURNAL).open("ab") as file:
        # A line that was cut off must not swallow the next one.
        file.write(b"\n")

        def note(video: Stored) -> None:
            file.write(json.dumps(asdict(video)).encode() + b"\n")
            file.flush()

        yield note


def _whole_lines(lines: Iterable[str]) -> Iterator[Stored]:
    for line in lines:
        try:
            yield Stored(**json.loads(line))
        except (ValueError, TypeError):
            continue
