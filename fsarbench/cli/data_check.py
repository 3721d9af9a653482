"""Terminal output of `fsarbench data check`."""

from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fsarbench.data.checking.check_videos import (
    MEANING,
    SKIPPED,
    CheckSettings,
    Entry,
    Fault,
    check_videos,
)
from fsarbench.data.video_sources import Source
from fsarbench.errors import UserError

# Maximum number of bad videos named on the terminal per kind; the CSV lists all of them.
NAMED = 5


def run_check(source: Source, out: str | None, settings: CheckSettings) -> int:
    """Check a data set, write and print its faults; return the number of bad videos.

    Args:
        source: Video files of the data set.
        out: CSV file for the bad videos; None for the default path next to the annotation table.
        settings: Limits and number of processes.

    Raises:
        UserError: A setting is invalid, or the list cannot be written.
    """
    if settings.workers < 1 or settings.limit <= 0 or settings.min_frames < 0:
        raise UserError("--workers has to be 1 or more, --time-limit and --min-frames above 0.")
    file = Path(out) if out else source.bad_list
    entries = [Entry(path, split) for split, path in source.videos]
    faults = check_videos(source.root, entries, file, settings)
    print_verdict(len(entries), faults, file)
    return len({fault.entry for fault in faults})


def print_verdict(count: int, faults: list[Fault], file: Path) -> None:
    """Print the number of bad videos per kind of fault, with examples."""
    console = Console(highlight=False, soft_wrap=True)
    kinds = Counter(fault.kind for fault in faults)
    intact = count - len({fault.entry for fault in faults})
    console.print(f"{count:,} videos: {intact:,} without faults", markup=False)
    if kinds:
        console.print(_table(kinds))
    for kind in kinds:
        of_kind = [fault for fault in faults if fault.kind == kind]
        for fault in of_kind[:NAMED]:
            split = f" ({fault.entry.split})" if fault.entry.split else ""
            console.print(f"{kind}: {fault.entry.path}{split}: {fault.reason}", markup=False)
        if len(of_kind) > NAMED:
            console.print(f"{kind}: and {len(of_kind) - NAMED:,} more", markup=False)
    console.print(f"written: {file}", markup=False)
    if SKIPPED & set(kinds):
        console.print("to leave out the videos with skip = yes: --set dataset.on_bad_video=skip")


def _table(kinds: Counter[str]) -> Table:
    table = Table("kind", "meaning", "videos", "skip")
    for kind, count in kinds.items():
        table.add_row(kind, MEANING[kind], f"{count:,}", "yes" if kind in SKIPPED else "no")
    return table
