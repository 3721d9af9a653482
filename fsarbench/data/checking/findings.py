"""Faults of the videos of a data set, derived from the facts of each video."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fsarbench.data.checking.journal import Facts

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
