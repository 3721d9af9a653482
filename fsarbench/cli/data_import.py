"""`fsarbench data import`, for the published data sets and for your own videos."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fsarbench.data.datasets.annotated import AnnotatedVideos
from fsarbench.data.importing.from_folder import FolderImport, Shares, import_folder
from fsarbench.data.importing.from_lists import import_lists
from fsarbench.data.importing.known_lists import field as field_of
from fsarbench.data.importing.summary import print_import
from fsarbench.data.splits import SPLITS
from fsarbench.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line gave; None for what it left out.

    Attributes:
        splits: The folder of the lists, or the split file of own videos.
        videos: The folder of the videos.
        labels: Label files.
        out: The table to write.
        seed: How own classes are divided.
        shares: `64/12/24`.
    """

    splits: str | None = None
    videos: str | None = None
    labels: Sequence[str] = field(default_factory=tuple)
    out: str | None = None
    seed: int = 0
    shares: str = "64/12/24"


def run_import(name: str, folder: str | None, options: Options) -> None:
    """Import one of the field's data sets, or with the name `folder` own videos.

    Raises:
        UserError: An option is missing or does not belong there, or the import fails.
    """
    out = _path(options.out)
    if name == "folder":
        root = folder or options.videos
        if root is None:
            raise UserError("Name the folder of class folders: fsarbench data import folder DIR.")
        shares, splits = shares_of(options.shares), _path(options.splits)
        done = import_folder(Path(root), options.seed, shares, splits, out)
        print_folder(done, root)
        return
    known = field_of(name)
    videos = options.videos or folder
    if options.splits is None or videos is None:
        raise UserError(
            f"Name the folder of the lists and that of the videos: fsarbench data import {name} "
            "--splits DIR --videos DIR."
        )
    labels = [Path(label) for label in options.labels]
    imported = import_lists(known, Path(options.splits), Path(videos), labels, out)
    print_import(imported, AnnotatedVideos(name).variable, str(Path(videos).absolute()))


def shares_of(text: str) -> Shares:
    """The shares of train, val and test from `64/12/24`.

    Raises:
        UserError: It is no three numbers.
    """
    try:
        train, val, test = (int(part) for part in text.split("/"))
    except ValueError:
        raise UserError(
            f"--shares {text}: expected three whole numbers, for train, val and test, such as "
            "64/12/24."
        ) from None
    return train, val, test


def print_folder(done: FolderImport, root: str) -> None:
    """Print the classes and videos of each split, and what is in none."""
    for split in SPLITS:
        classes = [name for name, of in done.splits.items() if of == split]
        videos = sum(done.videos[name] for name in classes)
        print(f"{split}: {len(classes)} classes, {videos} videos")
    if done.out:
        print(f"in no split: {', '.join(f'{n} ({done.videos[n]} videos)' for n in done.out)}")
    few = [name for name in done.splits if done.videos[name] < 2]
    if few:
        print(f"with one video alone, too few for an episode: {', '.join(few)}")
    print(f"written: {done.table}")
    place = Path(root).absolute()
    extra = "" if done.table.parent == Path(root) else f", splits='{done.table.absolute()}'"
    print(f"in a config: dataset = dict(type='VideoFolder', root='{place}'{extra})")


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
