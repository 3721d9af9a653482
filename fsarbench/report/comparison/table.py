"""The comparison of finished runs as data, before it is laid out."""

import math
import string
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from fsarbench.catalogue.published_results import PublishedResult
from fsarbench.errors import UserError, nearest
from fsarbench.report.comparison.published import published_for
from fsarbench.report.comparison.rows import Row
from fsarbench.report.comparison.step_costs import Profile
from fsarbench.report.run_summary import NEARLY_ALL
from fsarbench.statistics.intervals import Interval
from fsarbench.statistics.paired import (
    Difference,
    best_correction,
    best_level,
    holm,
    paired_difference,
)
from fsarbench.statistics.video_intervals import video_estimate


@dataclass(frozen=True)
class Verdict:
    """One row against another.

    Attributes:
        difference: The mean difference with its own interval and p-value.
        p_value: Corrected for all comparisons of the setting with the same other row.
        detectable: The smallest true difference that this test finds with a power of 80 %, at its
            level after the correction: the one that it has whatever the other rows show.
    """

    difference: Difference
    p_value: float
    detectable: float


def against(rows: Sequence[Row], other: Row, confidence: float) -> list[Verdict]:
    """Each row less another one that was named before, on the same episodes (Holm's correction)."""
    found = [difference(row, other, confidence) for row in rows]
    corrected = holm([difference.p_value for difference in found])
    level = (1 - confidence) / max(1, len(rows))
    return [
        Verdict(d, float(p), d.detectable(level)) for d, p in zip(found, corrected, strict=True)
    ]


def against_best(rows: Sequence[Row], best: Row, confidence: float) -> list[Verdict]:
    """Each row less the one with the largest mean, corrected for having chosen it by its mean."""
    found = [difference(row, best, confidence) for row in rows]
    corrected = best_correction([difference.p_value for difference in found])
    level = best_level(1 - confidence, len(rows) + 1) if rows else math.nan
    return [
        Verdict(d, float(p), d.detectable(level)) for d, p in zip(found, corrected, strict=True)
    ]


def difference(row: Row, other: Row, confidence: float) -> Difference:
    """One row less another, over videos where both kept them, otherwise over episodes."""
    ours, theirs = row.accuracies, other.accuracies
    drawn = row.drawn if row.same_episodes(other) else None
    if drawn is not None:
        each = ours.mean(axis=0) - theirs.mean(axis=0)
        # Where nothing is known of other videos, these are compared.
        drawn = None if video_estimate(each, drawn, "difference").unavailable else drawn
    return paired_difference(ours, theirs, drawn, confidence, (row.trained, other.trained))


def level(verdict: Verdict, confidence: float) -> bool:
    """Whether chance alone may have made the difference; not where nothing is known of it."""
    return not math.isnan(verdict.p_value) and verdict.p_value >= 1 - confidence


ON_TEST = "checkpoints were selected on the test classes"
UNKNOWN = "it is not known on which classes the checkpoint was selected"
CONSTANT = "WARNING: nearly all queries have equal scores for all classes: the accuracy is chance"
SELECTION = {"test": ON_TEST, "unknown": UNKNOWN}


def conditions(row: Row) -> dict[str, str]:
    """What has to be the same for two numbers of one setting to be compared, in words."""
    given = row.first.conditions
    clips = given["clips"]
    skipped = len(given.get("skipped_videos", {}))
    queries = given["queries_a_class"]
    return {
        "data": f"split hash {given['data_fingerprint'][:8]}",
        "left out": f"{skipped or 'no'} video{'' if skipped == 1 else 's'} left out",
        "episodes": f"{given['episodes']:,} episodes",
        "draw": f"episodes of seed {given['episodes_seed']}",
        "queries": f"{queries} {'query' if queries == 1 else 'queries'} a class",
        "clips": f"{clips['frames']} frames of {clips['size']} pixels, {clips['sampling']}",
        "selection": SELECTION.get(given["selection"], "no look at the test classes"),
    }


def reference_of(rows: Sequence[Row]) -> Row:
    """The first row under the conditions that most rows share."""
    kinds = Counter(tuple(conditions(row).values()) for row in rows)
    common = kinds.most_common(1)[0][0]
    return next(row for row in rows if tuple(conditions(row).values()) == common)


def differs(row: Row, reference: Row) -> list[str]:
    """In what a row's conditions are not those of the reference, in words; empty where alike."""
    ours, theirs = conditions(row), conditions(reference)
    found = [f"{ours[key]}, not {theirs[key]}" for key in ours if ours[key] != theirs[key]]
    kept = row.drawn is not None and reference.drawn is not None
    if not found and kept and not row.same_episodes(reference):
        return ["other episodes under the same seed"]
    return found


Setting = tuple[str, int, int]  # data set, way and shot


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of a section with what it means among the others.

    Attributes:
        row: The runs.
        intervals: Around its mean, by what they count as the sample.
        notes: The letters of the notes that mark it.
        best: It has the largest mean of the comparable rows.
        level: It cannot be told from the best.
        verdict: Against the baseline; None where there is none to compare with.
        beside_best: Against the best row; None for that row and for those that take no part.
    """

    row: Row
    intervals: dict[str, Interval]
    notes: str = ""
    best: bool = False
    level: bool = False
    verdict: Verdict | None = None
    beside_best: Verdict | None = None


@dataclass(frozen=True)
class Section:
    """The rows of one setting.

    Attributes:
        setting: Data set, way and shot.
        conditions: What all rows without a mark were obtained under.
        lines: The rows.
        tests: The tests against the best row, in its words; empty where there was none to make.
    """

    setting: Setting
    conditions: str
    lines: tuple[Line, ...]
    tests: str = ""

    @property
    def title(self) -> str:
        """The setting in words."""
        return f"{self.setting[0]}, {self.task}"

    @property
    def task(self) -> str:
        """Way and shot in words."""
        return f"{self.setting[1]}-way {self.setting[2]}-shot"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Everything that the layouts show.

    Attributes:
        sections: One a setting.
        notes: What marks rows whose conditions differ, by letter.
        published: Results of papers, obtained elsewhere.
        baseline: The name of the row that the others are compared with; empty for none.
        confidence: Of all intervals and tests.
        unfinished: Runs without a result that lay beside the others.
        profile: What training steps cost, from a file; None without one.
    """

    sections: tuple[Section, ...]
    notes: dict[str, str]
    published: tuple[PublishedResult, ...] = ()
    baseline: str = ""
    confidence: float = 0.95
    unfinished: tuple[str, ...] = ()
    profile: Profile | None = None

    @property
    def lines(self) -> list[Line]:
        """The rows of all sections."""
        return [line for section in self.sections for line in section.lines]


@dataclass
class Notes:
    """Letters for remarks; the same remark gets the same letter.

    Attributes:
        texts: The remarks by letter.
    """

    texts: dict[str, str] = field(default_factory=dict)

    def letters(self, remarks: Iterable[str]) -> str:
        """The letters of some remarks."""
        return "".join(self._letter(remark) for remark in remarks)

    def _letter(self, remark: str) -> str:
        known = {text: letter for letter, text in self.texts.items()}
        if remark in known:
            return known[remark]
        letters = string.ascii_letters
        if len(self.texts) == len(letters):
            raise UserError("These runs differ in too many ways for one table: name fewer.")
        self.texts[letters[len(self.texts)]] = remark
        return letters[len(self.texts) - 1]


def compare_rows(
    rows: Sequence[Row],
    baseline: str = "",
    confidence: float = 0.95,
    published: bool = False,
    unfinished: Sequence[str] = (),
) -> Comparison:
    """The comparison of some rows, a section a setting.

    Args:
        rows: In the order in which they are to stand.
        baseline: The name of the row that the others are compared with; empty for none.
        confidence: Of all intervals and tests.
        published: Also what papers report of the methods, apart from what was measured.
        unfinished: Runs that could not be put in.

    Raises:
        UserError: No row has the baseline's name.
    """
    names = list(dict.fromkeys(row.name for row in rows))
    if baseline and baseline not in names:
        raise UserError(f"--baseline: no run is called '{baseline}'.{nearest(baseline, names)}")
    notes = Notes()
    settings = dict.fromkeys(row.first.setting for row in rows)
    groups = [[row for row in rows if row.first.setting == setting] for setting in settings]
    return Comparison(
        sections=tuple(_section(group, baseline, confidence, notes) for group in groups),
        notes=notes.texts,
        published=tuple(published_for(rows)) if published else (),
        baseline=baseline,
        confidence=confidence,
        unfinished=tuple(unfinished),
    )


def _section(rows: Sequence[Row], baseline: str, confidence: float, notes: Notes) -> Section:
    base = next((row for row in rows if row.name == baseline), None)
    reference = base or reference_of(rows)
    marks = {row.name: differs(row, reference) for row in rows}
    alike = [row for row in rows if not marks[row.name]]
    best = max(alike, key=lambda row: row.mean)
    others = [row for row in alike if row is not best]
    verdicts = against_best(others, best, confidence)
    beside = {row.name: verdict for row, verdict in zip(others, verdicts, strict=True)}
    paired = dict(_paired([row for row in alike if row is not base], base, confidence))
    lines = tuple(
        Line(
            row=row,
            intervals=row.intervals(confidence),
            notes=notes.letters(_remarks(row, marks[row.name])),
            best=bool(others) and row is best,
            level=row.name in beside and level(beside[row.name], confidence),
            verdict=paired.get(row.name),
            beside_best=beside.get(row.name),
        )
        for row in rows
    )
    methods = dict.fromkeys(verdict.difference.interval.method for verdict in verdicts)
    common = ", ".join(text for key, text in conditions(reference).items() if key != "selection")
    return Section(rows[0].first.setting, common, lines, " or ".join(methods))


def _remarks(row: Row, marks: Sequence[str]) -> list[str]:
    # Selection on the test classes is said of every row that did it, also where all did.
    chosen = [text for text in SELECTION.values() if conditions(row)["selection"] == text]
    return [
        *chosen,
        *_constant(row),
        *(mark for mark in marks if not mark.startswith(tuple(SELECTION.values()))),
    ]


def _constant(row: Row) -> list[str]:
    shares = [run.same_scores for run in row.runs]
    return [CONSTANT] if max(shares) >= NEARLY_ALL else []


def _paired(
    rows: Sequence[Row], base: Row | None, confidence: float
) -> Iterator[tuple[str, Verdict]]:
    if base is not None and rows:
        for row, verdict in zip(rows, against(rows, base, confidence), strict=True):
            yield row.name, verdict
