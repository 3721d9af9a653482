"""`fsarbench data import folder`: a folder of class folders to a split file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fsarbench.data.annotation_tables import read_table, require_all_splits, require_one_split
from fsarbench.data.datasets.video_folder import videos_of
from fsarbench.data.importing.class_names import spelled_out
from fsarbench.data.importing.output import write_rows
from fsarbench.data.splits import SPLITS
from fsarbench.errors import UserError, nearest
from fsarbench.runtime.random_stream import RandomStream
from fsarbench.video import SplitName

COLUMNS = ("class", "split", "readable")
Shares = tuple[int, int, int]


@dataclass(frozen=True)
class FolderImport:
    """What was found and written.

    Attributes:
        table: The split file.
        splits: The split of each class that is in one, in the order of the file.
        videos: Videos of each class folder.
        out: Class folders that are in no split: empty ones, or those that a given file leaves out.
    """

    table: Path
    splits: dict[str, SplitName]
    videos: dict[str, int]
    out: tuple[str, ...]


def import_folder(
    root: Path,
    seed: int = 0,
    shares: Shares = (64, 12, 24),
    splits: Path | None = None,
    out: Path | None = None,
) -> FolderImport:
    """Divide the class folders of a folder into train, val and test, and write the split file.

    Args:
        root: The folder; each class folder in it holds video files, or folders of frames.
        seed: Another seed divides the classes otherwise.
        shares: Parts of the classes that train, val and test get.
        splits: A file (`class,split`) that divides them instead.
        out: Where the split file goes; by default `splits.csv` in the folder.

    Raises:
        UserError: There are fewer than three classes with videos, the file names a class that is
            not there, or a split file would be overwritten.
    """
    counts = _class_folders(root)
    filled = sorted(name for name, count in counts.items() if count)
    table = out or root / "splits.csv"
    if splits is None:
        rows = [(n, split, spelled_out(n)) for n, split in divided(filled, seed, shares).items()]
    else:
        rows = _given(splits, filled)
    if table != splits:
        _write(table, rows)
    chosen: dict[str, SplitName] = {name: split for name, split, _ in rows}
    return FolderImport(table, chosen, counts, tuple(sorted(set(counts) - set(chosen))))


def divided(classes: Sequence[str], seed: int, shares: Shares) -> dict[str, SplitName]:
    """The split of each class, train first; every split gets one class or more.

    Raises:
        UserError: There are fewer than three classes, or a share is not above 0.

    Example:
        >>> sorted(divided(["a", "b", "c", "d"], 0, (2, 1, 1)).values())
        ['test', 'train', 'train', 'val']
    """
    if len(classes) < len(SPLITS):
        raise UserError(
            f"{len(classes)} class folders hold videos; three or more are needed, one for each of "
            "train, val and test."
        )
    if min(shares) < 1:
        raise UserError(f"--shares {shares}: each of train, val and test needs 1 or more.")
    order = np.argsort(RandomStream("classes", seed).keys(len(classes)), kind="stable")
    names: dict[str, SplitName] = {}
    start = 0
    for split, count in zip(SPLITS, _counts(len(classes), shares), strict=True):
        picked = sorted(classes[int(index)] for index in order[start : start + count])
        names |= dict.fromkeys(picked, split)
        start += count
    return names


def _counts(total: int, shares: Shares) -> list[int]:
    # One each, and the rest by the largest remainders; equal ones go to the later split.
    exact = [share * total / sum(shares) for share in shares]
    counts = [max(1, int(part)) for part in exact]
    while sum(counts) != total:
        step = 1 if sum(counts) < total else -1
        open_ = [i for i in range(3) if step > 0 or counts[i] > 1]
        counts[max(open_, key=lambda i: (step * (exact[i] - counts[i]), i))] += step
    return counts


def _class_folders(root: Path) -> dict[str, int]:
    if not root.is_dir():
        raise UserError(f"There is no folder {root}; name one that holds a folder for each class.")
    folders = [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    for path in folders:
        if path.name != path.name.strip():
            raise UserError(f"The folder '{path}' has a space at an end of its name: rename it.")
    return {path.name: len(videos_of(path)) for path in sorted(folders)}


def _given(file: Path, filled: Sequence[str]) -> list[tuple[str, SplitName, str]]:
    rows = read_table(file, ("class", "split"))
    require_one_split(rows)
    require_all_splits(file, [row.split() for row in rows])
    for row in rows:
        if row["class"] not in filled:
            raise UserError(
                f"{row.place}: no folder of videos is named '{row['class']}'."
                f"{nearest(row['class'], filled)}"
            )
    found: Mapping[str, tuple[SplitName, str]] = {
        row["class"]: (row.split(), row["readable"] or spelled_out(row["class"])) for row in rows
    }
    return [(name, split, readable) for name, (split, readable) in found.items()]


def _write(table: Path, rows: Sequence[tuple[str, SplitName, str]]) -> None:
    before = table.read_bytes() if table.is_file() else None
    aside = table.with_name(f".{table.name}.new")
    write_rows(aside, COLUMNS, rows)
    try:
        if before not in (None, aside.read_bytes()):
            raise UserError(
                f"{table} is there and divides the classes otherwise: name another file with "
                "--out, or take it away."
            )
        aside.replace(table)
    finally:
        aside.unlink(missing_ok=True)
