"""Columns of the comparison table and their cells as plain text."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fsarbench.catalogue.published_results import task_name
from fsarbench.errors import UserError, nearest
from fsarbench.report.comparison.step_costs import Cost, Profile
from fsarbench.report.comparison.table import Comparison, Line, Setting, Verdict

GFLOPS = "GFLOPs per episode"
MEMORY = "memory (GiB)"
MDE = "MDE"
ONCE = "one training"
UNAVAILABLE = "n/a"
UNTESTED = "no test"
UNITS = {"videos": "test videos", "seeds": "training seeds", "episodes": "episodes"}


@dataclass(frozen=True)
class Column:
    """One column of the comparison table.

    Attributes:
        header: Column header.
        key: Short name, by which users select the column; equal in all settings.
        text: Function from a row to the text of its cell; empty text for a missing value.
        number: Whether the cells are numbers, which are right-aligned.
        main: Whether the best row is highlighted in this column.
        setting: Setting of the values in a table of several settings; None for values that all
            settings share.
    """

    header: str
    key: str
    text: Callable[[Line], str]
    number: bool = True
    main: bool = False
    setting: Setting | None = None


def columns(comparison: Comparison, settings: Sequence[Setting] = ()) -> list[Column]:
    """Select the columns of a comparison: those that the user chose, or all that its rows need.

    Args:
        comparison: Comparison of all rows.
        settings: Settings shown side by side; empty for a table of a single setting.

    Raises:
        UserError: The user chose a column that no row has.
    """
    known = available(comparison, settings)
    chosen = [chosen_key(asked, comparison) for asked in comparison.columns]
    if chosen:
        keys = dict.fromkeys(["method", *chosen])
        return [column for key in keys for column in known if column.key == key]
    shared = backbone(comparison.lines)
    return [column for column in known if not (shared and column.key == "backbone")]


def chosen_key(asked: str, comparison: Comparison) -> str:
    """Key of a column from its key or its header.

    Raises:
        UserError: No row of the comparison has such a column.
    """
    known = available(comparison)
    for column in known:
        if asked in (column.key, column.header):
            return column.key
    hint = NEEDS.get(asked, "")
    raise UserError(
        f"--columns {asked}: there is no such column{hint}."
        f"{nearest(asked, [column.key for column in known])}"
    )


# Why a column that other comparisons have is missing.
NEEDS = {
    **dict.fromkeys(("difference", "p"), " without --baseline"),
    **dict.fromkeys(("step-gflops", "step-memory", "step-time"), " without --profile"),
    "seeds": ", because every row has one training seed",
    "over-seeds": ", because every row has one training seed",
}


def available(comparison: Comparison, settings: Sequence[Setting] = ()) -> list[Column]:
    """All columns for which the rows have values."""
    lines = comparison.lines
    selected = [
        Column("method", "method", name, number=False, main=True),
        *(
            [Column("submitter", "submitter", submitter, False)]
            if any(map(submitter, lines))
            else []
        ),
        Column("backbone", "backbone", lambda line: line.row.backbone, False),
        Column("trainable", "trainable", lambda line: line.row.trainable, number=False),
        Column("trainable (M)", "trainable-m", lambda line: millions(line, "tuned")),
        Column("total (M)", "total-m", lambda line: millions(line, "total")),
        Column(GFLOPS, "gflops", lambda line: f"{line.row.first.result['gflops']['episode']:.2f}"),
        Column(MEMORY, "memory", memory),
        *(steps(comparison.profile) if comparison.profile else ()),
        *(column for setting in settings or (None,) for column in accuracy(lines, setting)),
    ]
    if any(len(line.row.runs) > 1 for line in lines):
        selected.append(Column("seeds", "seeds", lambda line: str(len(line.row.runs))))
    if not comparison.baseline and any(line.beside_best is not None for line in lines):
        selected += [
            Column(
                MDE if setting is None else f"{task(setting)} {MDE}",
                "mde",
                to_best,
                setting=setting,
            )
            for setting in settings or (None,)
        ]
    if comparison.baseline:
        selected += [column for setting in settings or (None,) for column in differences(setting)]
    return selected


def steps(profile: Profile) -> list[Column]:
    """Columns for the cost of a training step, measured by `fsarbench profile`."""

    def cell(text: Callable[[Cost], str]) -> Callable[[Line], str]:
        def cost_text(line: Line) -> str:
            cost = profile.of(line.row)
            return "" if cost is None else text(cost)

        return cost_text

    return [
        Column(
            "GFLOPs per step",
            "step-gflops",
            cell(lambda c: f"{c.operations / 1e9:.1f}" if c.operations else ""),
        ),
        Column(
            "step memory (GiB)",
            "step-memory",
            cell(lambda c: f"{c.memory / 2**30:.2f}" if c.memory else ""),
        ),
        Column(
            "step time (s)", "step-time", cell(lambda c: f"{c.seconds:.3g}" if c.seconds else "")
        ),
    ]


def accuracy(lines: Sequence[Line], setting: Setting | None) -> list[Column]:
    """Columns for the accuracy and its intervals, for all rows or for one of several settings."""
    header = "accuracy (%)" if setting is None else f"{task(setting)} (%)"
    mean = Column(header, "accuracy", mean_accuracy, main=True, setting=setting)
    widths = [
        Column(f"± {kind}", f"over-{kind}", half_width(kind), setting=setting)
        for kind in interval_kinds(lines)
    ]
    return [mean, *widths]


def differences(setting: Setting | None) -> list[Column]:
    """Columns for the comparison with the baseline."""
    header = "difference" if setting is None else f"{task(setting)} difference"
    return [
        Column(header, "difference", gain, setting=setting),
        Column("p", "p", p_value, setting=setting),
        Column(MDE, "mde", to_baseline, setting=setting),
    ]


def task(setting: Setting) -> str:
    """Return the task name of a setting."""
    return task_name(*setting[1:])


def backbone(lines: Sequence[Line]) -> str:
    """Backbone that all rows share, which then needs no column; empty if the backbones differ."""
    backbones = {line.row.backbone for line in lines}
    return backbones.pop() if len(backbones) == 1 else ""


def interval_kinds(lines: Sequence[Line]) -> list[str]:
    """Kinds of intervals that at least one row has."""
    return [kind for kind in UNITS if any(kind in line.intervals for line in lines)]


def name(line: Line) -> str:
    """Name of a row with the letters of its notes."""
    return f"{line.row.name} [{line.notes}]" if line.notes else line.row.name


def submitter(line: Line) -> str:
    """Person or lab that submitted the results of a row."""
    return line.row.submitter


def millions(line: Line, which: str) -> str:
    """Number of parameters in millions; small nonzero counts are shown as `< 0.01`."""
    count = line.row.first.result["parameters"][which]
    return f"{count / 1e6:.2f}" if count >= 5000 or not count else "< 0.01"


def memory(line: Line) -> str:
    """Peak memory in GiB, marked where it is GPU memory."""
    size, owner = line.row.memory
    return f"{size / 2**30:.2f}{' GPU' if owner == 'GPU' else ''}" if size else ""


def percent(share: float, digits: int = 2) -> str:
    """Format a fraction in percent, without the percent sign.

    Example:
        >>> percent(0.85518)
        '85.52'
    """
    return f"{100 * share:.{digits}f}"


def mean_accuracy(line: Line) -> str:
    """Mean accuracy in percent, with the limitations of its test against the best row."""
    verdict = line.beside_best
    if verdict is not None and math.isnan(verdict.p_value):
        return f"{percent(line.row.mean)} ({UNTESTED})"
    return percent(line.row.mean) + single_training_mark(verdict)


def single_training_mark(verdict: Verdict | None) -> str:
    """Mark of a test in which one side was trained with one seed only; empty for other tests."""
    return f" ({ONCE})" if verdict is not None and verdict.difference.one_training else ""


def detectable_effect(test: Callable[[Line], Verdict | None]) -> Callable[[Line], str]:
    """Cell of the minimum detectable effect of a test, in percentage points."""

    def text(line: Line) -> str:
        verdict = test(line)
        if verdict is None:
            return ""
        known = not math.isnan(verdict.detectable)
        return percent(verdict.detectable) if known else UNAVAILABLE

    return text


to_baseline = detectable_effect(lambda line: line.verdict)
to_best = detectable_effect(lambda line: line.beside_best)


def half_width(kind: str) -> Callable[[Line], str]:
    """Cell with the half width of one kind of interval, in percentage points."""

    def text(line: Line) -> str:
        interval = line.intervals.get(kind)
        if interval is None:
            return ""
        return UNAVAILABLE if interval.unavailable else percent(interval.half_width)

    return text


def gain(line: Line) -> str:
    """Difference to the baseline with its interval, in percentage points."""
    if line.verdict is None:
        return ""
    interval = line.verdict.difference.interval
    mean = f"{100 * interval.mean:+.2f}"
    if interval.unavailable:
        return f"{mean} ± {UNAVAILABLE}"
    return f"{mean} ± {percent(interval.half_width)}"


def p_value(line: Line) -> str:
    """Corrected p-value of the difference to the baseline."""
    if line.verdict is None:
        return ""
    value = line.verdict.p_value
    if math.isnan(value):
        return UNTESTED
    return ("< 0.001" if value < 0.001 else f"{value:.3f}") + single_training_mark(line.verdict)
