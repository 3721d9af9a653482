"""The comparison of finished runs as data, before it is laid out."""

import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from fsarbench.errors import UserError, nearest
from fsarbench.published_results import PublishedResult
from fsarbench.report.compare_conditions import SELECTION, conditions, differs, reference_of
from fsarbench.report.compare_costs import Profile
from fsarbench.report.compare_published import published_for
from fsarbench.report.compare_rows import Row
from fsarbench.report.compare_tests import Verdict, against, level
from fsarbench.statistics import Interval

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
    """

    row: Row
    intervals: dict[str, Interval]
    notes: str = ""
    best: bool = False
    level: bool = False
    verdict: Verdict | None = None


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
    verdicts = against(others, best, confidence)
    equal = [row for row, v in zip(others, verdicts, strict=True) if level(v, confidence)]
    paired = dict(_paired([row for row in alike if row is not base], base, confidence))
    lines = tuple(
        Line(
            row=row,
            intervals=row.intervals(confidence),
            notes=notes.letters(_remarks(row, marks[row.name])),
            best=bool(others) and row is best,
            level=row in equal,
            verdict=paired.get(row.name),
        )
        for row in rows
    )
    methods = dict.fromkeys(verdict.difference.interval.method for verdict in verdicts)
    common = ", ".join(text for key, text in conditions(reference).items() if key != "selection")
    return Section(rows[0].first.setting, common, lines, " or ".join(methods))


def _remarks(row: Row, marks: Sequence[str]) -> list[str]:
    # Selection on the test classes is said of every row that did it, also where all did.
    chosen = [text for text in SELECTION.values() if conditions(row)["selection"] == text]
    return [*chosen, *(mark for mark in marks if not mark.startswith(tuple(SELECTION.values())))]


def _paired(
    rows: Sequence[Row], base: Row | None, confidence: float
) -> Iterator[tuple[str, Verdict]]:
    if base is not None and rows:
        for row, verdict in zip(rows, against(rows, base, confidence), strict=True):
            yield row.name, verdict
