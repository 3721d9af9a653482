"""Import summary against the published split sizes."""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fsarbench.data.importing.from_lists import Imported, missing_file
from fsarbench.data.importing.known_lists import KNOWN_LISTS
from fsarbench.data.splits import SPLITS


def headline(imported: Imported) -> str:
    """Summary line: name of the list, videos per split, and number of missing videos."""
    name = KNOWN_LISTS.get(imported.digest)
    counts = "/".join(f"{count:,}" for count in imported.listed)
    absent = len(imported.missing)
    plural = "s" if absent > 1 else ""
    missing = f"{absent:,} video{plural} missing" if absent else "all videos found"
    title = name or f"{imported.dataset.title}, unknown list"
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
    if imported.missing:
        yield f"The ids of the missing videos are in {missing_file(imported.table)}."
    if imported.unreadable:
        yield f"Folders that cannot be listed: {', '.join(imported.unreadable[:5])}."
    if imported.nameless:
        yield (
            f"Classes without a name: {', '.join(imported.nameless)}. Components that use text "
            "need class names: give the label file of the data set with --labels."
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
    console.print(f"hash of ids and splits: {imported.digest} ({imported.family}'s lists)")
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
