"""What is written below the comparison: what each number covers, and what it does not."""

from collections.abc import Iterator, Sequence

from fsarbench.report.comparison.columns import MDE, ONCE, UNAVAILABLE, UNITS, UNTESTED, backbone
from fsarbench.report.comparison.table import Comparison, Verdict
from fsarbench.statistics.paired import POWER

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
        *limits(comparison),
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
            yield from unavailable(comparison, kind)
    if not all("videos" in line.intervals for line in comparison.lines):
        yield "Rows without ± videos are of runs that kept no episodes.npz."


def unavailable(comparison: Comparison, kind: str) -> Iterator[str]:
    """The rows without an interval of this kind, by reason."""
    rows: dict[str, list[str]] = {}
    for line in comparison.lines:
        reason = line.intervals[kind].unavailable if kind in line.intervals else ""
        if reason:
            rows.setdefault(reason, []).append(line.row.name)
    for reason, names in rows.items():
        yield f"± {kind} is {UNAVAILABLE} ({', '.join(dict.fromkeys(names))}): {reason}."


def tests(comparison: Comparison) -> Iterator[str]:
    """How the best row and those level with it were found."""
    methods = " or ".join(dict.fromkeys(s.tests for s in comparison.sections if s.tests))
    if methods:
        marked = " Rows under other conditions take no part." if comparison.notes else ""
        yield (
            "Bold: the best. =: not told from the best at the "
            f"{1 - comparison.confidence:.0%} level ({methods}; corrected for choosing the best of "
            "the rows of a setting by its mean: Tukey's range, stepping down)."
            f"{marked}"
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


def limits(comparison: Comparison) -> Iterator[str]:
    """What the tests could have found, and what they do not say."""
    named, best = comparison.baseline, [line.beside_best for line in comparison.lines]
    shown = [line.verdict for line in comparison.lines] if named else best
    tests = [verdict for verdict in shown if verdict is not None]
    if tests:
        yield (
            f"{MDE}: minimum detectable effect, the smallest true difference from "
            f"{named or 'the best row'}, in percentage points, that its test finds with "
            f"{POWER:.0%} power at the {1 - comparison.confidence:.0%} level after the correction; "
            "the variances are those estimated here."
        )
    made = [verdict for verdict in (*best, *tests) if verdict is not None]
    if any(verdict.difference.one_training for verdict in made):
        yield (
            f"({ONCE}): a side of the test was trained once, so the test compares this one trained "
            "model and not its method; another training seed may move it by more than the "
            "interval and the p-value say. For a statement about methods train several seeds on "
            "both sides."
        )
    yield from untested(made)


def untested(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Why there are tests that could not be made."""
    reasons = [verdict.difference.interval.unavailable for verdict in verdicts]
    for reason in dict.fromkeys(filter(None, reasons)):
        yield f"{UNTESTED}, {UNAVAILABLE} in a difference: {reason}."


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
