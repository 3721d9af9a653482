"""`fsarbench data import`, for published data sets and for your own videos."""

from collections.abc import Sequence
from pathlib import Path

from fsarbench.data.datasets.annotated import AnnotatedVideos
from fsarbench.data.importing.from_folder import FolderImport, Shares, import_folder
from fsarbench.data.importing.from_lists import import_lists
from fsarbench.data.importing.known_lists import known_dataset
from fsarbench.data.importing.summary import print_import
from fsarbench.data.splits import SPLITS
from fsarbench.errors import UserError


def run_import(
    name: str,
    folder: str | None = None,
    *,
    splits: str | None = None,
    videos: str | None = None,
    labels: Sequence[str] = (),
    out: str | None = None,
    seed: int = 0,
    shares: str = "64/12/24",
) -> None:
    """Import a published data set or, with the name `folder`, your own videos.

    Args:
        name: Name of a published data set, or `folder`.
        folder: Folder of the videos.
        splits: Folder of the split lists, or the split file of your own videos.
        videos: Folder of the videos, which may also be given as `folder`.
        labels: Label files.
        out: Annotation table or split file to write; None for the usual place.
        seed: Seed for splitting the classes of your own videos.
        shares: Proportions of train, val and test, such as `64/12/24`.

    Raises:
        UserError: An option is missing, or the import fails.
    """
    if name == "folder":
        root = folder or videos
        if root is None:
            raise UserError("Give the folder of class folders: fsarbench data import folder DIR.")
        imported = import_folder(Path(root), seed, shares_of(shares), _path(splits), _path(out))
        print_folder(imported, root)
        return
    published = known_dataset(name)
    place = videos or folder
    if splits is None or place is None:
        raise UserError(
            "Give the folder of the lists and the folder of the videos: "
            f"fsarbench data import {name} --splits DIR --videos DIR."
        )
    label_files = [Path(label) for label in labels]
    lists_import = import_lists(published, Path(splits), Path(place), label_files, _path(out))
    print_import(lists_import, AnnotatedVideos(name).variable, str(Path(place).absolute()))


def shares_of(text: str) -> Shares:
    """Proportions of train, val and test from text such as `64/12/24`.

    Raises:
        UserError: The text is not three whole numbers.
    """
    try:
        train, val, test = (int(share) for share in text.split("/"))
    except ValueError:
        raise UserError(
            f"--shares {text}: expected three whole numbers, for train, val and test, such as "
            "64/12/24."
        ) from None
    return train, val, test


def print_folder(imported: FolderImport, root: str) -> None:
    """Print the classes and videos per split, and the classes outside all splits."""
    for split in SPLITS:
        classes = [name for name, assigned in imported.splits.items() if assigned == split]
        videos = sum(imported.videos[name] for name in classes)
        print(f"{split}: {len(classes)} classes, {videos} videos")
    if imported.out:
        unused = ", ".join(f"{name} ({imported.videos[name]} videos)" for name in imported.out)
        print(f"in no split: {unused}")
    few = [name for name in imported.splits if imported.videos[name] < 2]
    if few:
        print(f"with one video alone, too few for an episode: {', '.join(few)}")
    print(f"written: {imported.table}")
    folder = Path(root).absolute()
    extra = "" if imported.table.parent == Path(root) else f", splits='{imported.table.absolute()}'"
    print(f"in a config: dataset = dict(type='VideoFolder', root='{folder}'{extra})")


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
