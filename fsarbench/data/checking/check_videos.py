"""`fsarbench data check`: every video of a data set opened, resumable, and the bad ones listed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fsarbench.data.annotation_tables import COLUMNS
from fsarbench.data.checking.examine import examine
from fsarbench.data.checking.findings import Bad, Entry, judge
from fsarbench.data.checking.journal import Facts, journal, read_journal, write_journal
from fsarbench.data.importing.output import write_rows
from fsarbench.data.video_files import stamp_of
from fsarbench.runtime.atomic_files import remove_stale_files
from fsarbench.runtime.progress import ProgressBars
from fsarbench.runtime.worker_pool import Lost, each


def examine_all(paths: Sequence[Path], workers: int, limit: float) -> Iterator[tuple[int, Facts]]:
    """The facts of all videos, each with its number, in the order in which they are found out.

    Args:
        paths: The videos.
        workers: Processes.
        limit: Seconds per video; the process of one that takes longer is ended.

    Raises:
        UserError: Processes cannot be started.
    """
    for number, found in each(examined, paths, workers, limit):
        if isinstance(found, Lost):
            found = Facts(kind=found.kind, reason=found.reason)
        yield number, found


def examined(path: Path) -> Facts:
    """The facts of a video; whatever a damaged file makes a decoder raise is one of them.

    Args:
        path: The video.
    """
    try:
        return examine(path)
    except Exception as error:
        return Facts(kind="unreadable", reason=f"{type(error).__name__}: {error}")


@dataclass(frozen=True, kw_only=True)
class CheckSettings:
    """How videos are examined.

    Attributes:
        workers: Processes that decode.
        limit: Seconds per video.
        min_frames: A video of fewer frames is reported as short.
        progress: Whether to show how far it is.
    """

    workers: int = 1
    limit: float = 60.0
    min_frames: int = 8
    progress: bool = True


def check_videos(root: Path, entries: list[Entry], out: Path, settings: CheckSettings) -> list[Bad]:
    """Examine the videos that were not examined before, and write the list of bad ones.

    What was found out is kept beside the list, so that a check which was ended goes on, and a later
    one examines only files that changed.

    Args:
        root: The folder of the videos.
        entries: The videos.
        out: The list to write.
        settings: How they are examined.

    Raises:
        UserError: The list cannot be written, or processes cannot be started.
    """
    kept = out.with_suffix(".jsonl")
    remove_stale_files(out.parent)
    known = _unchanged(root, entries, read_journal(kept))
    left = [entry.path for entry in entries if entry.path not in known]
    with (
        ProgressBars(quiet=not settings.progress).task("check videos", len(left)) as bar,
        journal(kept) as note,
    ):
        paths = [root / path for path in left]
        for number, facts in examine_all(paths, settings.workers, settings.limit):
            known[left[number]] = facts
            if facts.lasting:
                note(left[number], facts)
            bar.advance()
    write_journal(kept, {entry.path: known[entry.path] for entry in entries})
    bad = judge(entries, known, settings.min_frames)
    write_rows(out, COLUMNS, [one.row() for one in bad])
    return bad


def _unchanged(root: Path, entries: list[Entry], facts: dict[str, Facts]) -> dict[str, Facts]:
    return {
        entry.path: facts[entry.path]
        for entry in entries
        if entry.path in facts and facts[entry.path].stamp == _stamp(root / entry.path)
    }


def _stamp(path: Path) -> str | None:
    try:
        return stamp_of(path)
    except OSError:
        return None
