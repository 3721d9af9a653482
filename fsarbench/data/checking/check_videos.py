"""`fsarbench data check`: decode every video of a data set, resumable, and list the bad ones."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fsarbench.data.annotation_tables import COLUMNS, write_rows
from fsarbench.data.checking.examine import examine
from fsarbench.data.checking.journal import Facts, journal, read_journal, write_journal
from fsarbench.data.video_files import stamp_of
from fsarbench.runtime.atomic_files import remove_stale_files
from fsarbench.runtime.progress import ProgressBars
from fsarbench.runtime.worker_pool import LostTask, run_tasks

# Faults that make a video unreadable; `on_bad_video='skip'` leaves these videos out.
SKIPPED = frozenset({"missing", "unreadable", "truncated", "slow", "crash"})
MEANING = {
    "missing": "file does not exist",
    "unreadable": "cannot be opened or decoded",
    "truncated": "ends early",
    "slow": "over the time limit",
    "crash": "crashed the decoder",
    "short": "fewer frames than a clip",
    "header": "wrong number of frames in the header",
    "leak": "the same frames in another split",
    "duplicate": "the same frames twice in a split",
}


@dataclass(frozen=True)
class Entry:
    """Path of a video below the root, and its split; empty if it is in no split."""

    path: str
    split: str


@dataclass(frozen=True)
class Fault:
    """One fault of a video; `kind` is a key of `MEANING`."""

    entry: Entry
    kind: str
    reason: str

    def row(self) -> tuple[str, str, str, str, str]:
        """Row of the fault in the list of bad videos."""
        skip = "yes" if self.kind in SKIPPED else "no"
        return self.entry.path, self.entry.split, self.kind, skip, self.reason


def find_faults(
    entries: Sequence[Entry], facts: Mapping[str, Facts], min_frames: int
) -> list[Fault]:
    """All faults, in the order of the entries.

    Args:
        entries: Videos of the data set.
        facts: Facts by path.
        min_frames: Videos with fewer frames are reported as short.
    """
    by_digest = _by_digest(entries, facts)
    return [
        fault
        for entry in entries
        for fault in _faults(entry, facts[entry.path], min_frames, by_digest)
    ]


def _faults(
    entry: Entry, facts: Facts, min_frames: int, by_digest: Mapping[str, list[Entry]]
) -> Iterator[Fault]:
    if facts.kind:
        yield Fault(entry, facts.kind, facts.reason)
        return
    if facts.frames < min_frames:
        yield Fault(entry, "short", f"{facts.frames} frames; a clip needs {min_frames}")
    if facts.header not in (0, facts.frames):
        reason = f"{facts.header} frames in the header, {facts.frames} in the file"
        yield Fault(entry, "header", reason)
    copies = [other for other in by_digest[facts.digest] if other != entry]
    leaks = [copy for copy in copies if copy.split != entry.split]
    for kind, same in (("leak", leaks), ("duplicate", copies)):
        if same:
            more = f" and {len(same) - 1} more" if len(same) > 1 else ""
            split = f" ({same[0].split})" if same[0].split else ""
            yield Fault(entry, kind, f"the same frames as {same[0].path}{split}{more}")
            return


def _by_digest(entries: Sequence[Entry], facts: Mapping[str, Facts]) -> Mapping[str, list[Entry]]:
    by_digest: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if not facts[entry.path].kind:
            by_digest[facts[entry.path].digest].append(entry)
    return by_digest


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
