"""The columns of the comparison: what each shows, as plain text."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fsarbench.report.comparison.step_costs import Cost, Profile
from fsarbench.report.comparison.table import Comparison, Line, Setting, Verdict

MDE = "MDE"
ONCE = "one training"
UNAVAILABLE = "n/a"
UNTESTED = "no test"
UNITS = {"videos": "test videos", "seeds": "training seeds", "episodes": "episodes"}


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        header: Its heading.
        text: The cell of a row; empty where a row has none.
        number: Its cells are numbers, so they stand on the right.
        main: The best row stands out in it.
        setting: The setting that it speaks of, in a table of several; None for all.
    """

    header: str
    text: Callable[[Line], str]
    number: bool = True
    main: bool = False
    setting: Setting | None = None


def columns(comparison: Comparison, settings: Sequence[Setting] = ()) -> list[Column]:
    """The columns that these rows need.

    Args:
        comparison: All rows.
        settings: Those that stand side by side; none where a table has but one.
    """
    lines = comparison.lines
    found = [
        Column("method", name, number=False, main=True),
        *([] if backbone(lines) else [Column("backbone", lambda line: line.row.backbone, False)]),
        Column("tuned", lambda line: line.row.tuned, number=False),
        Column("tuned (M)", lambda line: millions(line, "tuned")),
        Column("all (M)", lambda line: millions(line, "total")),
        Column("GFLOP", lambda line: f"{line.row.first.result['gflops']['episode']:.2f}"),
        Column("GiB", memory),
        *(steps(comparison.profile) if comparison.profile else ()),
        *(found for setting in settings or (None,) for found in accuracy(lines, setting)),
    ]
    if any(len(line.row.runs) > 1 for line in lines):
        found.append(Column("seeds", lambda line: str(len(line.row.runs))))
    if not comparison.baseline and any(line.beside_best is not None for line in lines):
        found += [
            Column(MDE if one is None else f"{task(one)} {MDE}", to_best, setting=one)
            for one in settings or (None,)
        ]
    if comparison.baseline:
        found += [found for setting in settings or (None,) for found in differences(setting)]
    return found


def steps(profile: Profile) -> list[Column]:
    """What a training step costs, by a file of `fsarbench profile`."""

    def cell(text: Callable[[Cost], str]) -> Callable[[Line], str]:
        def shown(line: Line) -> str:
            cost = profile.of(line.row)
            return "" if cost is None else text(cost)

        return shown

    return [
        Column("step GFLOP", cell(lambda c: f"{c.operations / 1e9:.1f}" if c.operations else "")),
        Column("step GiB", cell(lambda c: f"{c.memory / 2**30:.2f}" if c.memory else "")),
        Column("step s", cell(lambda c: f"{c.seconds:.3g}" if c.seconds else "")),
    ]


def accuracy(lines: Sequence[Line], setting: Setting | None) -> list[Column]:
    """The accuracy and its intervals; with a setting, of that one of several."""
    header = "accuracy (%)" if setting is None else f"{task(setting)} (%)"
    mean = Column(header, mean_accuracy, main=True, setting=setting)
    widths = [Column(f"± {k}", half_width(k), setting=setting) for k in shown(lines)]
    return [mean, *widths]


def differences(setting: Setting | None) -> list[Column]:
    """What the baseline is compared by."""
    header = "difference" if setting is None else f"{task(setting)} difference"
    return [
        Column(header, gain, setting=setting),
        Column("p", p_value, setting=setting),
        Column(MDE, to_baseline, setting=setting),
    ]


def task(setting: Setting) -> str:
    """Way and shot in words.

    Example:
        >>> task(("ssv2", 5, 1))
        '5-way 1-shot'
    """
    return f"{setting[1]}-way {setting[2]}-shot"


def backbone(lines: Sequence[Line]) -> str:
    """The backbone of all rows, which then needs no column; empty where they differ."""
    named = {line.row.backbone for line in lines}
    return named.pop() if len(named) == 1 else ""


def shown(lines: Sequence[Line]) -> list[str]:
    """The kinds of intervals that some row has."""
    return [kind for kind in UNITS if any(kind in line.intervals for line in lines)]


def name(line: Line) -> str:
    """What a row is called, with the letters of its notes."""
    return f"{line.row.name} [{line.notes}]" if line.notes else line.row.name


def millions(line: Line, which: str) -> str:
    """Parameters in millions; a little is not nothing."""
    count = line.row.first.result["parameters"][which]
    return f"{count / 1e6:.2f}" if count >= 5000 or not count else "< 0.01"


def memory(line: Line) -> str:
    """The peak memory in GiB; that of a process, in a table that also has GPUs, says so."""
    size, kind = line.row.memory
    return f"{size / 2**30:.2f}{' GPU' if kind == 'GPU' else ''}" if size else ""


def percent(share: float, digits: int = 2) -> str:
    """A share in percent, without the sign.

    Example:
        >>> percent(0.85518)
        '85.52'
    """
    return f"{100 * share:.{digits}f}"


def mean_accuracy(line: Line) -> str:
    """The accuracy in percent, and what its test against the best row does not say."""
    verdict = line.beside_best
    if verdict is not None and math.isnan(verdict.p_value):
        return f"{percent(line.row.mean)} ({UNTESTED})"
    return percent(line.row.mean) + once(verdict)


def once(verdict: Verdict | None) -> str:
    """The mark of a test in which a side was trained once; empty for another test."""
    return f" ({ONCE})" if verdict is not None and verdict.difference.one_training else ""


def smallest(test: Callable[[Line], Verdict | None]) -> Callable[[Line], str]:
    """The cell of the smallest detectable difference of a test, in percentage points."""

    def text(line: Line) -> str:
        verdict = test(line)
        if verdict is None:
            return ""
        known = not math.isnan(verdict.detectable)
        return percent(verdict.detectable) if known else UNAVAILABLE

    return text


to_baseline = smallest(lambda line: line.verdict)
to_best = smallest(lambda line: line.beside_best)


def half_width(kind: str) -> Callable[[Line], str]:
    """The cell of one kind of interval."""

    def text(line: Line) -> str:
        interval = line.intervals.get(kind)
        if interval is None:
            return ""
        return UNAVAILABLE if interval.unavailable else percent(interval.half_width)

    return text


def gain(line: Line) -> str:
    """The difference to the baseline with its interval."""
    if line.verdict is None:
        return ""
    interval = line.verdict.difference.interval
    mean = f"{100 * interval.mean:+.2f}"
    if interval.unavailable:
        return f"{mean} ± {UNAVAILABLE}"
    return f"{mean} ± {percent(interval.half_width)}"


def p_value(line: Line) -> str:
    """The corrected p-value of that difference."""
    if line.verdict is None:
        return ""
    value = line.verdict.p_value
    if math.isnan(value):
        return UNTESTED
    return ("< 0.001" if value < 0.001 else f"{value:.3f}") + once(line.verdict)
