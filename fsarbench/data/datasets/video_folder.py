"""People's own videos: a folder of class folders, and a split file."""

from pathlib import Path

from fsarbench.data.places import expanded
from fsarbench.data.splits import SPLITS, Entry, fingerprint, spaced, split_of
from fsarbench.data.tables import Row, read_table, require_all_splits, require_one_split
from fsarbench.errors import UserError, nearest
from fsarbench.interfaces import Split, SplitName, VideoDataset
from fsarbench.registry import DATASETS

SUFFIXES = {".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"}


@DATASETS.register_module()
class VideoFolder(VideoDataset):
    """A folder of class folders of video files.

    The split file is a CSV whose first line is `class,split`, and then a line for each class: the
    name of its folder, and `train`, `val` or `test`. A third column, `readable`, may give the name
    as prompts want it; without it `ThrowDiscus` and `throw_discus` read "throw discus". Class
    folders that the file does not name are left out.

    Args:
        root: The folder; `~` and `$NAME` are filled in.
        splits: The split file; a relative path starts at `root`.
    """

    def __init__(self, root: str, splits: str = "splits.csv") -> None:
        self.root = root
        self.split_file = splits

    def splits(self) -> dict[SplitName, Split]:
        """The three splits, classes in the order of the split file."""
        root = expanded(self.root, "dataset.root")
        if not root.is_dir():
            raise UserError(
                f"There is no folder {root}: dataset.root has to be a folder that holds one folder "
                "of videos for each class."
            )
        rows = self._rows(root)
        readable = {row["class"]: row["readable"] for row in rows}
        return {
            name: split_of(
                name,
                [entry for row in rows if row.split() == name for entry in _entries(root, row)],
                lambda key: readable[key] or spaced(key),
            )
            for name in SPLITS
        }

    def fingerprint(self) -> str:
        """A hash over video ids, their classes and their partition."""
        return fingerprint(self.splits())

    def _rows(self, root: Path) -> list[Row]:
        path = expanded(self.split_file, "dataset.splits", root)
        if not path.is_file():
            raise UserError(
                f"There is no split file {path} (dataset.splits): write a CSV with the first line "
                "'class,split' and a line for each class, such as 'jumping,train'; the splits are "
                "train, val and test."
            )
        rows = read_table(path, ("class", "split"))
        require_one_split(rows)
        require_all_splits(path, [row.split() for row in rows])
        _require_folders(root, rows)
        return rows


def _require_folders(root: Path, rows: list[Row]) -> None:
    there = sorted(folder.name for folder in root.iterdir() if folder.is_dir())
    for row in rows:
        if row["class"] not in there:
            raise UserError(
                f"{row.place}: there is no folder {root / row['class']} for the class "
                f"'{row['class']}'.{nearest(row['class'], there)}"
            )


def _entries(root: Path, row: Row) -> list[Entry]:
    name = row["class"]
    files = sorted(path for path in (root / name).iterdir() if path.suffix.lower() in SUFFIXES)
    if not files:
        raise UserError(
            f"{row.place}: the class '{name}' is empty, {root / name} has no video "
            f"({', '.join(sorted(SUFFIXES))}). Add videos, or take the class out of the split file."
        )
    return [Entry(f"{name}/{path.name}", path, name) for path in files]
