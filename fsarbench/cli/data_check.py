"""What `fsarbench data check` prints."""

from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fsarbench.data.checking.check_videos import CheckSettings, check_videos
from fsarbench.data.checking.findings import MEANING, SKIPPED, Bad, Entry
from fsarbench.data.video_sources import Source
from fsarbench.errors import UserError

# Bad videos of one kind that are named on the terminal; the list has all.
NAMED = 5


def run_check(source: Source, out: str | None, settings: CheckSettings) -> int:
    """Check a data set, write the list, print what is wrong; returns the number of bad videos.

    Args:
        source: The files.
        out: The list; None for its place beside the table of the data set.
        settings: How videos are examined.

    Raises:
        UserError: A setting makes no sense, or the list cannot be written.
    """
    if settings.workers < 1 or settings.limit <= 0 or settings.min_frames < 0:
        raise UserError("--workers has to be 1 or more, --time-limit and --min-frames above 0.")
    file = Path(out) if out else source.bad_list
    entries = [Entry(path, split) for split, path in source.videos]
    bad = check_videos(source.root, entries, file, settings)
    print_verdict(len(entries), bad, file)
    return len({one.entry for one in bad})


def print_verdict(count: int, bad: list[Bad], file: Path) -> None:
    """Print how many videos are bad in which way, and name some of each."""
    console = Console(highlight=False, soft_wrap=True)
    kinds = Counter(one.kind for one in bad)
    fine = count - len({one.entry for one in bad})
    console.print(f"{count:,} videos: {fine:,} without a remark", markup=False)
    if kinds:
        console.print(_table(kinds))
    for kind in kinds:
        named = [one for one in bad if one.kind == kind]
        for one in named[:NAMED]:
            split = f" ({one.entry.split})" if one.entry.split else ""
            console.print(f"{kind}: {one.entry.path}{split}: {one.reason}", markup=False)
        if len(named) > NAMED:
            console.print(f"{kind}: and {len(named) - NAMED:,} more", markup=False)
    console.print(f"written: {file}", markup=False)
    if SKIPPED & set(kinds):
        console.print("to leave out those with skip = yes: --set dataset.on_bad_video=skip")


def _table(kinds: Counter[str]) -> Table:
    table = Table("kind", "meaning", "videos", "skip")
    for kind, count in kinds.items():
        table.add_row(kind, MEANING[kind], f"{count:,}", "yes" if kind in SKIPPED else "no")
    return table
