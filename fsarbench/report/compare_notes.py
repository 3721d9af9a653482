"""What is written below the comparison: what each number covers, and what it does not."""

from collections.abc import Iterator

from fsarbench.report.compare_cells import UNITS, backbone
from fsarbench.report.compare_table import Comparison

COSTS = (
    "tuned, all: parameters in millions. GFLOP: 10^9 operations of one test episode (of the first "
    "kind in the line) that encodes all its videos, 1 multiply-add = 2. GiB: peak memory of the "
    "run, of its main process unless GPU is said."
)


def remarks(comparison: Comparison) -> list[str]:
    """The lines below the table."""
    trunk = backbone(comparison.lines)
    return [
        *(f"[{letter}] {text}." for letter, text in comparison.notes.items()),
        *(f"{section.title}: {section.conditions}." for section in comparison.sections),
        *([f"Backbone of all rows: {trunk}."] if trunk else []),
        *intervals(comparison),
        *tests(comparison),
        *baseline(comparison),
        COSTS,
        *steps(comparison),
        *unfinished(comparison),
    ]


def intervals(comparison: Comparison) -> Iterator[str]:
    """One line a kind of interval."""
    for kind in UNITS:
        found = [line.intervals[kind] for line in comparison.lines if kind in line.intervals]
        if found:
            which = f"± {kind}: {comparison.confidence:.0%} interval, {found[0].method}"
            yield f"{which}. Covers {found[0].covers}; not {found[0].leaves_out}."
    if not all("videos" in line.intervals for line in comparison.lines):
        yield "Rows without ± videos are of runs that kept no episodes.npz."


def tests(comparison: Comparison) -> Iterator[str]:
    """How the best row and those level with it were found."""
    methods = " or ".join(dict.fromkeys(s.tests for s in comparison.sections if s.tests))
    if methods:
        marked = " Rows with a letter take no part." if comparison.notes else ""
        yield (
            "Bold: the best. =: not told from the best at the "
            f"{1 - comparison.confidence:.0%} level ({methods}; Holm's correction over the rows of "
            f"a setting).{marked}"
        )


def baseline(comparison: Comparison) -> Iterator[str]:
    """What the differences are; rows may have been tested in several ways."""
    kinds: dict[str, list[str]] = {}
    for line in comparison.lines:
        if line.verdict is not None:
            interval = line.verdict.difference.interval
            said = f"{interval.method}. Covers {interval.covers}; not {interval.leaves_out}."
            kinds.setdefault(said, []).append(line.row.name)
    if kinds:
        yield (
            f"difference: percentage points above {comparison.baseline} on the same episodes, "
            f"with its {comparison.confidence:.0%} interval. p: corrected by Holm's method."
        )
    for said, names in kinds.items():
        rows = f" ({', '.join(dict.fromkeys(names))})" if len(kinds) > 1 else ""
        yield f"difference{rows}: {said}"


def steps(comparison: Comparison) -> Iterator[str]:
    """Where the costs of training steps come from, and for which rows there are none."""
    profile = comparison.profile
    if profile is None:
        return
    yield (
        f"step: one training episode forward and backward, its peak memory, and its time on "
        f"{profile.device}, by `fsarbench profile` ({profile.path.name})."
    )
    missing = profile.missing([line.row for line in comparison.lines])
    if missing:
        names = ", ".join(dict.fromkeys(missing))
        yield f"No such assembly in {profile.path.name}: {names}."


def unfinished(comparison: Comparison) -> Iterator[str]:
    """Runs that lay there without a result."""
    if comparison.unfinished:
        yield f"Not finished, so not in the table: {', '.join(comparison.unfinished)}."
