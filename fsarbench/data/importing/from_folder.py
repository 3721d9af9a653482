"""`fsarbench data import folder`: write a split file for a folder of class folders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fsarbench.data.annotation_tables import (
    read_table,
    require_all_splits,
    require_one_split,
    write_rows,
)
from fsarbench.data.datasets.video_folder import videos_of
from fsarbench.data.importing.class_names import spelled_out
from fsarbench.data.splits import SPLITS
from fsarbench.errors import UserError, nearest
from fsarbench.runtime.random_stream import RandomStream
from fsarbench.video import SplitName

COLUMNS = ("class", "split", "readable")
Shares = tuple[int, int, int]


@dataclass(frozen=True)
class FolderImport:
    """Result of an import.

    Attributes:
        table: Split file that was written.
        splits: Split of each class, in the order of the split file.
        videos: Number of videos in each class folder.
        out: Class folders in no split: empty ones, and those that a given split file leaves out.
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
    """Assign the class folders to train, val and test, and write the split file.

    Args:
        root: Folder of the class folders, which contain video files or folders of frames.
        seed: Seed of the random assignment.
        shares: Proportions of train, val and test.
        splits: Split file (`class,split`) to use instead of a random assignment.
        out: Split file to write; by default `splits.csv` in `root`.

    Raises:
        UserError: Fewer than three classes have videos, the given split file names a class without
            a folder, or a different split file would be overwritten.
    """
    counts = _class_folders(root)
    classes = sorted(name for name, count in counts.items() if count)
    table = out or root / "splits.csv"
    if splits is None:
        assigned = assign_splits(classes, seed, shares)
        rows = [(name, split, spelled_out(name)) for name, split in assigned.items()]
    else:
        rows = _rows_of(splits, classes)
    if table != splits:
        _write(table, rows)
    chosen: dict[str, SplitName] = {name: split for name, split, _ in rows}
    return FolderImport(table, chosen, counts, tuple(sorted(set(counts) - set(chosen))))


def assign_splits(classes: Sequence[str], seed: int, shares: Shares) -> dict[str, SplitName]:
    """Assign each class to a random split; every split gets at least one class.

    Raises:
        UserError: There are fewer than three classes, or a share is below 1.

    Example:
        >>> sorted(assign_splits(["a", "b", "c", "d"], 0, (2, 1, 1)).values())
        ['test', 'train', 'train', 'val']
    """
    if len(classes) < len(SPLITS):
        raise UserError(
            f"{len(classes)} class folders have videos; at least three are needed, one for each of "
            "train, val and test."
        )
    if min(shares) < 1:
        raise UserError(f"--shares {shares}: train, val and test each need a share of 1 or more.")
    order = np.argsort(RandomStream("classes", seed).keys(len(classes)), kind="stable")
    names: dict[str, SplitName] = {}
    start = 0
    for split, count in zip(SPLITS, _counts(len(classes), shares), strict=True):
        chosen = sorted(classes[int(index)] for index in order[start : start + count])
        names |= dict.fromkeys(chosen, split)
        start += count
    return names


def _counts(total: int, shares: Shares) -> list[int]:
    # Largest remainder method with at least one class per split; ties go to the later split.
    exact = [share * total / sum(shares) for share in shares]
    counts = [max(1, int(quota)) for quota in exact]
    while sum(counts) != total:
        step = 1 if sum(counts) < total else -1
        adjustable = [i for i in range(3) if step > 0 or counts[i] > 1]
        counts[max(adjustable, key=lambda i: (step * (exact[i] - counts[i]), i))] += step
    return counts


def _class_folders(root: Path) -> dict[str, int]:
    if not root.is_dir():
        raise UserError(f"There is no folder {root}; expected a folder with one folder per class.")
    folders = [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    for path in folders:
        if path.name != path.name.strip():
            raise UserError(f"The folder name '{path}' starts or ends with a space: rename it.")
    return {path.name: len(videos_of(path)) for path in sorted(folders)}


def _rows_of(file: Path, classes: Sequence[str]) -> list[tuple[str, SplitName, str]]:
    rows = read_table(file, ("class", "split"))
    require_one_split(rows)
    require_all_splits(file, [row.split() for row in rows])
    for row in rows:
        if row["class"] not in classes:
            raise UserError(
                f"{row.location}: there is no folder of videos '{row['class']}'."
                f"{nearest(row['class'], classes)}"
            )
    # A dict, because a class may be listed twice.
    unique: Mapping[str, tuple[SplitName, str]] = {
        row["class"]: (row.split(), row["readable"] or spelled_out(row["class"])) for row in rows
    }
    return [(name, split, readable) for name, (split, readable) in unique.items()]


def _write(table: Path, rows: Sequence[tuple[str, SplitName, str]]) -> None:
    existing = table.read_bytes() if table.is_file() else None
    temporary = table.with_name(f".{table.name}.new")
    write_rows(temporary, COLUMNS, rows)
    try:
        if existing not in (None, temporary.read_bytes()):
            raise UserError(
                f"{table} exists with other splits: choose another file with --out, or delete it."
            )
        temporary.replace(table)
    finally:
        temporary.unlink(missing_ok=True)
