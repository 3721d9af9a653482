"""Import summary against the published split sizes."""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fsarbench.data.importing.from_lists import Imported, missing_file
from fsarbench.data.importing.known_lists import KNOWN
from fsarbench.data.splits import SPLITS


def headline(imported: Imported) -> str:
    """The list by its name, its videos a split, and how many are missing, in one line."""
    name = KNOWN.get(imported.digest)
    counts = "/".join(f"{count:,}" for count in imported.listed)
    gone = len(imported.missing)
    plural = "s" if gone > 1 else ""
    missing = f"{gone:,} video{plural} missing" if gone else "all videos found"
    title = name or f"{imported.field.title}, a list that is not known here"
    return f"{title}: {counts}; {missing}"


def remarks(imported: Imported) -> Iterator[str]:
    """What a user should know beyond the counts."""
    field = imported.field
    if imported.digest not in KNOWN and field.lists:
        known = " or ".join(field.lists)
        yield (
            f"The videos or their partition are not those of {known}: results on them do not "
            "compare with published ones."
        )
    if imported.missing:
        yield f"The ids of missing videos are in {missing_file(imported.table)}."
    if imported.closed:
        yield f"Folders that cannot be looked into: {', '.join(imported.closed[:5])}."
    if imported.nameless:
        yield (
            f"Classes without a name: {', '.join(imported.nameless)}. Parts that use text refuse "
            "them; give the data set's own label file with --labels."
        )


def print_import(imported: Imported, variable: str, root: str) -> None:
    """Print counts a split against the field's, remarks, and how the table is used.

    Args:
        imported: What was found.
        variable: The environment variable that points to the videos.
        root: The folder of the videos.
    """
    console = Console(highlight=False, soft_wrap=True)
    console.print(headline(imported), markup=False)
    console.print(_table(imported))
    console.print(f"hash of ids and partition: {imported.digest} ({imported.family}'s lists)")
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
            f"      and add{frames}, since the videos are folders of frames", markup=False
        )


def _table(imported: Imported) -> Table:
    table = Table("split", "classes", "videos listed", "in the field", "found", "missing")
    field = imported.field
    for number, split in enumerate(SPLITS):
        listed, found = imported.listed[number], imported.found[number]
        counts = (
            f"{field.classes[number]} classes, {field.videos[number]:,} videos"
            if field.classes and field.videos
            else "-"
        )
        row = (imported.classes[number], f"{listed:,}", counts, f"{found:,}", f"{listed - found:,}")
        table.add_row(split, *map(str, row))
    return table
