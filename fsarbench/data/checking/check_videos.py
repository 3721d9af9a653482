"""`fsarbench data check`: decode every video of a data set, resumable, and list the bad ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fsarbench.data.annotation_tables import COLUMNS
from fsarbench.data.checking.examine import examine
from fsarbench.data.checking.findings import Entry, Fault, find_faults
from fsarbench.data.checking.journal import Facts, journal, read_journal, write_journal
from fsarbench.data.importing.output import write_rows
from fsarbench.data.video_files import stamp_of
from fsarbench.runtime.atomic_files import remove_stale_files
from fsarbench.runtime.progress import ProgressBars
from fsarbench.runtime.worker_pool import LostTask, run_tasks


def examine_all(paths: Sequence[Path], workers: int, limit: float) -> Iterator[tuple[int, Facts]]:
    """Examine videos in parallel; yield index and facts of each one, in the order of finishing.

    Args:
        paths: Video files or folders of frames.
        workers: Number of processes.
        limit: Time limit per video in seconds; a process that takes longer is killed.

    Raises:
        UserError: Processes cannot be started.
    """
    for index, result in run_tasks(examine_safely, paths, workers, limit):
        if isinstance(result, LostTask):
            yield index, Facts(kind=result.kind, reason=result.reason)
        else:
            yield index, result


def examine_safely(path: Path) -> Facts:
    """Facts of a video; an exception of the decoder becomes the fault `unreadable`.

    Args:
        path: Video file or folder of frames.
    """
    try:
        return examine(path)
    except Exception as error:
        return Facts(kind="unreadable", reason=f"{type(error).__name__}: {error}")


@dataclass(frozen=True, kw_only=True)
class CheckSettings:
    """Settings of a check.

    Attributes:
        workers: Number of decoding processes.
        limit: Time limit per video in seconds.
        min_frames: Videos with fewer frames are reported as short.
        progress: Whether to show a progress bar.
    """

    workers: int = 1
    limit: float = 60.0
    min_frames: int = 8
    progress: bool = True


def check_videos(
    root: Path, entries: list[Entry], out: Path, settings: CheckSettings
) -> list[Fault]:
    """Examine new and changed videos, and write the list of bad ones.

    A journal next to the list keeps the facts of examined videos. An interrupted check resumes
    from it, and a later check examines only files that changed.

    Args:
        root: Folder of the videos.
        entries: Videos of the data set.
        out: CSV file for the list of bad videos.
        settings: Settings of the check.

    Raises:
        UserError: The list cannot be written, or processes cannot be started.
    """
    journal_path = out.with_suffix(".jsonl")
    remove_stale_files(out.parent)
    facts = _unchanged(root, entries, read_journal(journal_path))
    pending = [entry.path for entry in entries if entry.path not in facts]
    with (
        ProgressBars(quiet=not settings.progress).task("check videos", len(pending)) as bar,
        journal(journal_path) as append,
    ):
        paths = [root / path for path in pending]
        for index, result in examine_all(paths, settings.workers, settings.limit):
            facts[pending[index]] = result
            if result.lasting:
                append(pending[index], result)
            bar.advance()
    write_journal(journal_path, {entry.path: facts[entry.path] for entry in entries})
    faults = find_faults(entries, facts, settings.min_frames)
    write_rows(out, COLUMNS, [fault.row() for fault in faults])
    return faults


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
