"""Notes below the comparison table: what each number covers and what it does not."""

from collections.abc import Iterator, Sequence

from fsarbench.report.comparison.columns import (
    GFLOPS,
    MDE,
    MEMORY,
    ONCE,
    UNAVAILABLE,
    UNITS,
    UNTESTED,
    backbone,
    columns,
)
from fsarbench.report.comparison.table import Comparison, Verdict
from fsarbench.statistics.paired import POWER

COSTS = (
    "trainable (M), total (M): millions of parameters. "
    f"{GFLOPS}: 10^9 floating-point operations of one test episode without caching (of the first "
    f"setting in a row), 1 multiply-add = 2. {MEMORY}: peak memory of the main process, or of the "
    "GPU where marked."
)


def remarks(comparison: Comparison) -> list[str]:
    """Notes below the table."""
    shared_backbone = backbone(comparison.lines)
    shown = {column.key for column in columns(comparison)}
    return [
        *(f"[{letter}] {text}." for letter, text in comparison.notes.items()),
        *(f"{section.title}: {section.conditions}." for section in comparison.sections),
        *([f"Backbone of all rows: {shared_backbone}."] if shared_backbone else []),
        *(
            text
            for kind in UNITS
            if f"over-{kind}" in shown
            for text in intervals(comparison, kind)
        ),
        *without_videos(comparison),
        *tests(comparison),
        *(baseline(comparison) if {"difference", "p"} & shown else ()),
        *(limits(comparison) if {"difference", "p", "mde", "accuracy"} & shown else ()),
        *([COSTS] if {"trainable-m", "total-m", "gflops", "memory"} & shown else []),
        *steps(comparison),
        *unfinished(comparison),
    ]


def intervals(comparison: Comparison, kind: str) -> Iterator[str]:
    """Notes on one kind of interval."""
    available = [line.intervals[kind] for line in comparison.lines if kind in line.intervals]
    if available:
        first = available[0]
        yield (
            f"± {kind}: {comparison.confidence:.0%} confidence interval, {first.method}. "
            f"Covers {first.covers}; not {first.leaves_out}."
        )
        yield from unavailable(comparison, kind)


def without_videos(comparison: Comparison) -> Iterator[str]:
    """Note on rows without an interval over videos."""
    if not all("videos" in line.intervals for line in comparison.lines):
        yield "Rows without ± videos: their runs have no episodes.npz."


def unavailable(comparison: Comparison, kind: str) -> Iterator[str]:
    """Rows without an interval of this kind, grouped by reason."""
    rows: dict[str, list[str]] = {}
    for line in comparison.lines:
        reason = line.intervals[kind].unavailable if kind in line.intervals else ""
        if reason:
            rows.setdefault(reason, []).append(line.row.name)
    for reason, names in rows.items():
        yield f"± {kind} is {UNAVAILABLE} ({', '.join(dict.fromkeys(names))}): {reason}."


def tests(comparison: Comparison) -> Iterator[str]:
    """Method of the tests against the best row."""
    methods = " or ".join(dict.fromkeys(s.tests for s in comparison.sections if s.tests))
    if methods:
        marked = (
            " Rows whose letter marks different conditions are not tested."
            if comparison.notes
            else ""
        )
        yield (
            "Bold: best row. =: not significantly different from the best row at the "
            f"{1 - comparison.confidence:.0%} level ({methods}; corrected for the choice of the "
            "best row of a setting by its mean: step-down test with Tukey's studentized range)."
            f"{marked}"
        )


def baseline(comparison: Comparison) -> Iterator[str]:
    """Method of the tests against the baseline, which may vary between rows."""
    rows_by_method: dict[str, list[str]] = {}
    for line in comparison.lines:
        if line.verdict is not None:
            interval = line.verdict.difference.interval
            method = f"{interval.method}. Covers {interval.covers}; not {interval.leaves_out}."
            rows_by_method.setdefault(method, []).append(line.row.name)
    if rows_by_method:
        yield (
            f"difference: accuracy minus that of {comparison.baseline} on the same episodes, in "
            f"percentage points, with its {comparison.confidence:.0%} confidence interval. p: "
            "p-value with Holm's correction."
        )
    for method, names in rows_by_method.items():
        rows = f" ({', '.join(dict.fromkeys(names))})" if len(rows_by_method) > 1 else ""
        yield f"difference{rows}: {method}"


def limits(comparison: Comparison) -> Iterator[str]:
    """Power and limits of the tests."""
    name, best = comparison.baseline, [line.beside_best for line in comparison.lines]
    displayed = [line.verdict for line in comparison.lines] if name else best
    tests = [verdict for verdict in displayed if verdict is not None]
    if tests:
        yield (
            f"{MDE}: minimum detectable effect, the smallest true difference from "
            f"{name or 'the best row'}, in percentage points, that the test detects with "
            f"{POWER:.0%} power at the corrected {1 - comparison.confidence:.0%} level, given the "
            "variances estimated here."
        )
    verdicts = [verdict for verdict in (*best, *tests) if verdict is not None]
    if any(verdict.difference.one_training for verdict in verdicts):
        yield (
            f"({ONCE}): one side of the test has a single training seed. The test compares this "
            "one trained model and not its method; another training seed may change its accuracy "
            "by more than the interval and the p-value suggest. To compare methods, train several "
            "seeds on both sides."
        )
    yield from untested(verdicts)


def untested(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Reasons for missing tests."""
    reasons = [verdict.difference.interval.unavailable for verdict in verdicts]
    for reason in dict.fromkeys(filter(None, reasons)):
        yield f"{UNTESTED}, or {UNAVAILABLE} in a difference: {reason}."


def steps(comparison: Comparison) -> Iterator[str]:
    """Source of the training costs, and the rows without them."""
    profile = comparison.profile
    if profile is None:
        return
    yield (
        f"step: forward and backward pass of one training episode, its peak memory, and its time "
        f"on {profile.device}, from `fsarbench profile` ({profile.path.name})."
    )
    missing = profile.missing([line.row for line in comparison.lines])
    if missing:
        names = ", ".join(dict.fromkeys(missing))
        yield f"Configs not in {profile.path.name}: {names}."


def unfinished(comparison: Comparison) -> Iterator[str]:
    """Run folders without a result."""
    if comparison.unfinished:
        yield f"Unfinished runs, not in the table: {', '.join(comparison.unfinished)}."
