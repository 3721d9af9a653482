"""From facts to the list of bad videos."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fsarbench.data.checking.journal import Facts

# What reading fails on, and what `on_bad_video='skip'` leaves out. The others can be read.
SKIPPED = frozenset({"missing", "unreadable", "truncated", "slow", "crash"})
MEANING = {
    "missing": "not there",
    "unreadable": "cannot be opened or decoded",
    "truncated": "cut short",
    "slow": "over the time limit",
    "crash": "crashed the decoder",
    "short": "fewer frames than a clip",
    "header": "wrong number of frames in the header",
    "leak": "the same frames in another split",
    "duplicate": "the same frames twice in a split",
}


@dataclass(frozen=True)
class Entry:
    """A video of a data set: its path below the root, and its split, empty if it is in none."""

    path: str
    split: str


@dataclass(frozen=True)
class Bad:
    """Something that is wrong with a video."""

    entry: Entry
    kind: str
    reason: str

    def row(self) -> tuple[str, str, str, str, str]:
        """A line of the list of bad videos."""
        skip = "yes" if self.kind in SKIPPED else "no"
        return self.entry.path, self.entry.split, self.kind, skip, self.reason


def judge(entries: Sequence[Entry], facts: Mapping[str, Facts], min_frames: int) -> list[Bad]:
    """All that is wrong, in the order of the entries.

    Args:
        entries: The videos of the data set.
        facts: What was found out, by path.
        min_frames: A video of fewer frames is reported as short.
    """
    twins = _twins(entries, facts)
    return [
        bad for entry in entries for bad in _faults(entry, facts[entry.path], min_frames, twins)
    ]


def _faults(
    entry: Entry, facts: Facts, min_frames: int, twins: Mapping[str, list[Entry]]
) -> Iterator[Bad]:
    if facts.kind:
        yield Bad(entry, facts.kind, facts.reason)
        return
    if facts.frames < min_frames:
        yield Bad(entry, "short", f"{facts.frames} frames, a clip takes {min_frames}")
    if facts.header not in (0, facts.frames):
        yield Bad(entry, "header", f"the header says {facts.header} frames, it has {facts.frames}")
    others = [other for other in twins[facts.digest] if other != entry]
    elsewhere = [other for other in others if other.split != entry.split]
    for kind, found in (("leak", elsewhere), ("duplicate", others)):
        if found:
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            split = f" ({found[0].split})" if found[0].split else ""
            yield Bad(entry, kind, f"the same frames as {found[0].path}{split}{more}")
            return


def _twins(entries: Sequence[Entry], facts: Mapping[str, Facts]) -> Mapping[str, list[Entry]]:
    twins: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        found = facts[entry.path]
        if not found.kind:
            twins[found.digest].append(entry)
    return twins
