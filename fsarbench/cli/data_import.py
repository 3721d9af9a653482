"""`fsarbench data import`, for published data sets and for your own videos."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fsarbench.data.annotation_tables import missing_file
from fsarbench.data.datasets.annotated import AnnotatedVideos
from fsarbench.data.importing.from_folder import FolderImport, Shares, import_folder
from fsarbench.data.importing.from_lists import Imported, import_annotations, import_lists
from fsarbench.data.importing.known_lists import KNOWN_LISTS, known_dataset, named_dataset
from fsarbench.data.splits import SPLITS
from fsarbench.errors import UserError


def run_import(  # noqa: PLR0913 (one argument per option)
    name: str,
    folder: str | None = None,
    *,
    splits: str | None = None,
    videos: str | None = None,
    labels: Sequence[str] = (),
    annotations: Sequence[str] = (),
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
        annotations: Annotation files of a data set without published lists.
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
        own = import_folder(Path(root), seed, shares_of(shares), _path(splits), _path(out))
        print_folder(own, root)
        return
    published = named_dataset(name) if annotations else known_dataset(name)
    place = videos or folder
    if splits is None or place is None:
        raise UserError(
            "Give the folder of the lists and the folder of the videos: "
            f"fsarbench data import {name} --splits DIR --videos DIR."
        )
    if annotations:
        files = [Path(file) for file in annotations]
        imported = import_annotations(published, files, Path(splits), Path(place), _path(out))
    else:
        files = [Path(label) for label in labels]
        imported = import_lists(published, Path(splits), Path(place), files, _path(out))
    print_import(imported, AnnotatedVideos(name).variable, str(Path(place).absolute()))


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


def headline(imported: Imported) -> str:
    """Summary line: name of the list, videos per split, and number of missing videos."""
    name = KNOWN_LISTS.get(imported.digest)
    counts = "/".join(f"{count:,}" for count in imported.listed)
    absent = len(imported.missing)
    plural = "s" if absent > 1 else ""
    missing = f"{absent:,} video{plural} missing" if absent else "all videos found"
    unknown = f"{imported.dataset.title}, unknown list" if imported.family != "table" else ""
    title = name or unknown or imported.dataset.title
    return f"{title}: {counts}; {missing}"


def remarks(imported: Imported) -> Iterator[str]:
    """Remarks on comparability, missing videos, unreadable folders and missing class names."""
    dataset = imported.dataset
    if imported.digest not in KNOWN_LISTS and dataset.lists:
        known = " or ".join(dataset.lists)
        yield (
            f"The videos or their splits differ from those of {known}: results are not comparable "
            "with published ones."
        )
    if imported.unused:
        yield f"Annotated videos of classes in no split: {imported.unused:,}."
    if imported.missing:
        yield f"The ids of the missing videos are in {missing_file(imported.table)}."
    if imported.unreadable:
        yield f"Folders that cannot be listed: {', '.join(imported.unreadable[:5])}."
    if imported.nameless:
        remedy = (
            "fill in the column readable of the class split"
            if imported.family == "table"
            else "give the label file of the data set with --labels"
        )
        yield (
            f"Classes without a name: {', '.join(imported.nameless)}. Components that use text "
            f"need class names: {remedy}."
        )


def print_import(imported: Imported, variable: str, root: str) -> None:
    """Print counts per split, the published counts, remarks, and how to use the table.

    Args:
        imported: Result of the import.
        variable: Environment variable for the folder of the videos.
        root: Folder of the videos.
    """
    console = Console(highlight=False, soft_wrap=True)
    console.print(headline(imported), markup=False)
    console.print(_table(imported))
    layout = "a class split" if imported.family == "table" else f"{imported.family}'s lists"
    console.print(f"hash of ids and splits: {imported.digest} ({layout})")
    for remark in remarks(imported):
        console.print(remark, markup=False)
    console.print(f"written: {imported.table}", markup=False)
    frames = " --set reader.type=FramesReader" if imported.of_frames else ""
    console.print(f"next: export {variable}={root}", markup=False)
    if imported.table.absolute().parent != Path(root):
        console.print(
            f"and add --set dataset.annotations={imported.table.absolute()}", markup=False
        )
    if frames:
        console.print(
            f"      and add{frames}, because the videos are folders of frames", markup=False
        )


def _table(imported: Imported) -> Table:
    table = Table("split", "classes", "videos listed", "published", "found", "missing")
    dataset = imported.dataset
    for number, split in enumerate(SPLITS):
        listed, found = imported.listed[number], imported.found[number]
        counts = (
            f"{dataset.classes[number]} classes, {dataset.videos[number]:,} videos"
            if dataset.classes and dataset.videos
            else "-"
        )
        row = (imported.classes[number], f"{listed:,}", counts, f"{found:,}", f"{listed - found:,}")
        table.add_row(split, *map(str, row))
    return table
