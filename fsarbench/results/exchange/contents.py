"""Reading of a results folder, or of a zip file with one, without running or unpacking anything.

Only plain files in their places are read, up to a limit per file; everything else is a fault.
"""

import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from fsarbench.errors import UserError
from fsarbench.results.exchange.layout import (
    DEPTH,
    FILES,
    LIST,
    LIST_BYTES,
    WEIGHTS,
    Opened,
    Packed,
)
from fsarbench.results.faults import FaultError
from fsarbench.results.safe_npz import DAMAGED

# A zip file of 10 MB can unpack to 10 GB; weights are not counted, since they are not compressed.
MOST_ENTRIES = 100_000
MOST_BYTES = 2**30
LAYOUT = "files of DATA SET/SETTING/METHOD/HASH/, and DATA SET/list.json"


@dataclass
class Contents:
    """Submissions of a results folder or of a zip file.

    Attributes:
        submissions: Files of each submission, by its folder.
        weights: Functions that open the weights of a submission, by its folder.
        lists: Content of `list.json` by data set.
        faults: Files that are no part of a results folder.
    """

    submissions: dict[PurePosixPath, dict[str, bytes]] = field(default_factory=dict)
    weights: dict[PurePosixPath, Callable[[], Opened]] = field(default_factory=dict)
    lists: dict[str, bytes] = field(default_factory=dict)
    faults: list[FaultError] = field(default_factory=list)

    @property
    def packed(self) -> list[Packed]:
        """Submissions, sorted by their folder."""
        places = sorted({*self.submissions, *self.weights})
        return [Packed(p, self.submissions.get(p, {}), self.weights.get(p)) for p in places]

    def add(
        self,
        path: PurePosixPath,
        size: int,
        read: Callable[[], bytes],
        opened: Callable[[], Opened],
    ) -> None:
        """Add a file if it has a place in a results folder, or a fault.

        Args:
            path: Path, relative to the results folder.
            size: Bytes of the file.
            read: Function that reads it.
            opened: Function that opens it.
        """
        limit = LIST_BYTES if is_list(path) else FILES.get(path.name)
        inside = is_list(path) or len(path.parts) == DEPTH + 1
        if inside and path.name == WEIGHTS:
            self.weights[path.parent] = opened
        elif not inside or limit is None:
            self.faults.append(FaultError(path, "", LAYOUT, "a file of another name or place"))
        elif size > limit:
            self.faults.append(FaultError(path, "", f"at most {limit:,} bytes", f"{size:,}"))
        elif is_list(path):
            self.lists[path.parts[0]] = read()
        else:
            self.submissions.setdefault(path.parent, {})[path.name] = read()


def is_list(path: PurePosixPath) -> bool:
    """Whether a path is the list of a data set."""
    return len(path.parts) == 2 and path.name == LIST


def read_contents(path: Path) -> Contents:
    """Content of a results folder or of a zip file with one.

    Raises:
        UserError: There is no such folder or file.
    """
    if path.is_dir():
        return read_folder(path)
    if not path.is_file():
        raise UserError(f"There is no results folder and no zip file at {path}.")
    return read_zip(path)


def read_folder(root: Path) -> Contents:
    """Content of a results folder; its own files (README) and hidden folders are left out."""
    contents = Contents()
    for folder, subfolders, names in os.walk(root):
        place = PurePosixPath(Path(folder).relative_to(root).as_posix())
        if not place.parts:
            subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        subfolders.sort()
        links = [name for name in subfolders if Path(folder, name).is_symlink()]
        for name in sorted([*links, *(names if place.parts else ())]):
            file = Path(folder, name)
            status = file.lstat()
            if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait forever
                contents.faults.append(
                    FaultError(place / name, "", "a plain file", "a link or a special file")
                )
                continue
            contents.add(place / name, status.st_size, file.read_bytes, partial(open_file, file))
    return contents


@contextmanager
def open_file(file: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading."""
    with file.open("rb") as opened:
        yield opened


@contextmanager
def open_entry(file: Path, name: str) -> Iterator[IO[bytes]]:
    """Open an entry of a zip file for reading."""
    with zipfile.ZipFile(file) as archive, archive.open(name) as opened:
        yield opened


def read_zip(file: Path) -> Contents:
    """Content of a zip file with a results folder; nothing is unpacked."""
    contents = Contents()
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            total = sum(e.file_size for e in entries if not e.filename.endswith(WEIGHTS))
            if len(entries) > MOST_ENTRIES or total > MOST_BYTES:
                expected = f"at most {MOST_ENTRIES:,} files of {MOST_BYTES:,} bytes together"
                found = f"{len(entries):,} files of {total:,} bytes"
                contents.faults.append(FaultError(file, "", expected, found))
                return contents
            for entry in entries:
                _add_entry(contents, archive, entry, file)
    except DAMAGED as error:
        expected = "a complete zip file"
        contents.faults.append(FaultError(file, "", expected, f"a damaged one: {error}"))
    names = [entry.filename for entry in entries] if not contents.faults else []
    if len(set(names)) < len(names):
        contents.faults.append(FaultError(file, "", "every file once", "a file twice"))
    return contents


def _add_entry(
    contents: Contents, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file: Path
) -> None:
    if fault := entry_fault(entry, file):
        contents.faults.append(fault)
    elif not entry.is_dir():
        name, path = entry.filename, PurePosixPath(entry.filename)
        read = partial(archive.read, entry)
        contents.add(path, entry.file_size, read, partial(open_entry, file, name))


def entry_fault(entry: zipfile.ZipInfo, file: Path) -> FaultError | None:
    """Fault of the name or the kind of an entry; None for a plain file inside of the folder."""
    name, mode = entry.filename, entry.external_attr >> 16
    parts = PurePosixPath(name).parts
    outside = name.startswith("/") or ".." in parts or "\\" in name or ":" in name
    if outside or entry.orig_filename != name:
        return FaultError(file, name, "a path inside of the results folder", "one that leaves it")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return FaultError(file, name, "a plain file", "a link or a special file")
    if PurePosixPath(name).name == WEIGHTS and entry.compress_type != zipfile.ZIP_STORED:
        # A small file cannot unpack to a full disk if nothing is compressed.
        return FaultError(file, name, "weights without compression", "compressed ones")
    return None
