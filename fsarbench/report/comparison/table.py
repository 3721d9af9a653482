"""Comparison of finished runs as data, independent of the output format."""

import math
import string
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fsarbench.catalogue.pretraining import SeenData, overlap
from fsarbench.catalogue.published_results import PublishedResult, task_name
from fsarbench.errors import UserError, nearest
from fsarbench.report.comparison.published import published_for
from fsarbench.report.comparison.rows import Row
from fsarbench.report.comparison.step_costs import Profile
from fsarbench.report.run_summary import (
    DECODED,
    FP32,
    NEARLY_ALL,
    frames_text,
    precision_text,
)
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
    """Paired test of one row against another.

    Attributes:
        difference: Mean difference with its uncorrected interval and p-value.
        p_value: P-value corrected for all comparisons of the setting with the same other row.
        detectable: Minimum detectable effect: smallest true difference, 0 to 1, that this test
            finds with 80 % power at its corrected level, the one that holds for any outcome of the
            other tests.
    """

    difference: Difference
    p_value: float
    detectable: float


def against(rows: Sequence[Row], other: Row, confidence: float) -> list[Verdict]:
    """Test each row against a row chosen in advance, on the same episodes (Holm's correction)."""
    differences = [difference(row, other, confidence) for row in rows]
    corrected = holm([difference.p_value for difference in differences])
    level = (1 - confidence) / max(1, len(rows))
    return [
        Verdict(d, float(p), d.detectable(level))
        for d, p in zip(differences, corrected, strict=True)
    ]


def against_best(rows: Sequence[Row], best: Row, confidence: float) -> list[Verdict]:
    """Test each row against the row with the largest mean, corrected for that selection."""
    differences = [difference(row, best, confidence) for row in rows]
    corrected = best_correction([difference.p_value for difference in differences])
    level = best_level(1 - confidence, len(rows) + 1) if rows else math.nan
    return [
        Verdict(d, float(p), d.detectable(level))
        for d, p in zip(differences, corrected, strict=True)
    ]


def difference(row: Row, other: Row, confidence: float) -> Difference:
    """Difference of two rows, over videos if both have `episodes.npz`, otherwise over episodes."""
    accuracies, other_accuracies = row.accuracies, other.accuracies
    videos = row.episode_videos if row.same_episodes(other) else None
    if videos is not None:
        per_episode = accuracies.mean(axis=0) - other_accuracies.mean(axis=0)
        # Without a variance over videos, the test is over the episodes of these videos.
        videos = None if video_estimate(per_episode, videos, "difference").unavailable else videos
    trained = (row.trained, other.trained)
    return paired_difference(accuracies, other_accuracies, videos, confidence, trained)


def level(verdict: Verdict, confidence: float) -> bool:
    """Whether the difference is not significant; False if there is no p-value."""
    return not math.isnan(verdict.p_value) and verdict.p_value >= 1 - confidence


ON_TEST = "checkpoint selected on the test classes"
UNKNOWN = "classes of checkpoint selection unknown"
CONSTANT = "WARNING: nearly all queries have equal scores for all classes: the accuracy is chance"
GIVEN = "features given: GFLOPs, parameters and memory leave out the backbone that computed them"
SELECTION = {"test": ON_TEST, "unknown": UNKNOWN}


def conditions(row: Row) -> dict[str, str]:
    """Human-readable test conditions that two comparable rows of one setting must share."""
    recorded = row.first.conditions
    clips = recorded["clips"]
    skipped = len(recorded.get("skipped_videos", {}))
    queries = recorded["queries_a_class"]
    return {
        "data": f"split hash {recorded['data_fingerprint'][:8]}",
        "left out": f"{skipped or 'no'} video{'' if skipped == 1 else 's'} left out",
        "episodes": f"{recorded['episodes']:,} episodes",
        "draw": f"episode seed {recorded['episodes_seed']}",
        "queries": f"{queries} {'query' if queries == 1 else 'queries'} per class",
        "clips": clips_text(clips),
        "frames": frames_text(recorded.get("frames")),
        "precision": precision_text(recorded),
        "selection": SELECTION.get(recorded["selection"], "test classes not used for selection"),
    }


def clips_text(clips: Mapping[str, Any]) -> str:
    """Frames, size and sampling of test clips in words; unknown for features from elsewhere."""
    if not clips["size"]:
        return f"features of {clips['frames']} steps from unknown clips"
    return f"{clips['frames']} frames of {clips['size']} pixels, {clips['sampling']}"


def reference_of(rows: Sequence[Row]) -> Row:
    """Return the first row with the most common conditions."""
    counts = Counter(tuple(conditions(row).values()) for row in rows)
    common = counts.most_common(1)[0][0]
    return next(row for row in rows if tuple(conditions(row).values()) == common)


def differs(row: Row, reference: Row) -> list[str]:
    """Describe how a row's conditions differ from the reference; empty if they are equal."""
    values, expected = conditions(row), conditions(reference)
    changed = [f"{values[k]}, not {expected[k]}" for k in values if values[k] != expected[k]]
    both_have_videos = row.episode_videos is not None and reference.episode_videos is not None
    if not changed and both_have_videos and not row.same_episodes(reference):
        return ["different episodes despite the same seed"]
    return changed


Setting = tuple[str, int, int]  # data set, way and shot


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of a section with its tests against the other rows.

    Attributes:
        row: Runs of the row.
        intervals: Confidence intervals of its mean accuracy, by sampling unit.
        notes: Letters of its notes.
        best: Whether it has the largest mean of the comparable rows.
        level: Whether it does not differ significantly from the best row.
        verdict: Test against the baseline; None without a baseline to compare with.
        beside_best: Test against the best row; None for that row and for rows that are not
            comparable.
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
    """Rows of one setting.

    Attributes:
        setting: Data set, way and shot.
        conditions: Human-readable test conditions of all rows without a note.
        lines: Rows of the section.
        tests: Human-readable methods of the tests against the best row; empty without tests.
    """

    setting: Setting
    conditions: str
    lines: tuple[Line, ...]
    tests: str = ""

    @property
    def title(self) -> str:
        """Data set and task name."""
        return f"{self.setting[0]}, {self.task}"

    @property
    def task(self) -> str:
        """Task name."""
        return task_name(*self.setting[1:])


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Complete content of a comparison.

    Attributes:
        sections: One section per setting.
        notes: Notes on rows with differing conditions, by letter.
        published: Published results.
        baseline: Name of the baseline row; empty for none.
        confidence: Confidence level of all intervals and tests, between 0 and 1.
        unfinished: Names of run folders without a result.
        profile: Cost of training steps; None if no profile was given.
        columns: Keys or headers of the columns that the user chose; empty for all columns.
        pairwise: Whether to show the tests of all pairs of rows.
    """

    sections: tuple[Section, ...]
    notes: dict[str, str]
    published: tuple[PublishedResult, ...] = ()
    baseline: str = ""
    confidence: float = 0.95
    unfinished: tuple[str, ...] = ()
    profile: Profile | None = None
    columns: tuple[str, ...] = ()
    pairwise: bool = False

    @property
    def lines(self) -> list[Line]:
        """Rows of all sections."""
        return [line for section in self.sections for line in section.lines]


@dataclass
class Notes:
    """Letters of notes; equal notes share a letter.

    Attributes:
        texts: Notes by letter.
    """

    texts: dict[str, str] = field(default_factory=dict)

    def letters(self, remarks: Iterable[str]) -> str:
        """Return the letters of some notes."""
        return "".join(self._letter(remark) for remark in remarks)

    def _letter(self, remark: str) -> str:
        letters_by_text = {text: letter for letter, text in self.texts.items()}
        if remark in letters_by_text:
            return letters_by_text[remark]
        letters = string.ascii_letters
        if len(self.texts) == len(letters):
            raise UserError("These runs differ in too many ways for one table. Give fewer runs.")
        self.texts[letters[len(self.texts)]] = remark
        return letters[len(self.texts) - 1]


def compare_rows(
    rows: Sequence[Row],
    baseline: str = "",
    confidence: float = 0.95,
    published: bool = False,
    unfinished: Sequence[str] = (),
) -> Comparison:
    """Compare rows, with one section per setting.

    Args:
        rows: Rows in the order of the table.
        baseline: Name of the baseline row; empty for none.
        confidence: Confidence level of all intervals and tests, between 0 and 1.
        published: Whether to add published results of the methods.
        unfinished: Names of run folders without a result.

    Raises:
        UserError: No row has the name of the baseline.
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
    comparable = [row for row in rows if not marks[row.name]]
    best = max(comparable, key=lambda row: row.mean)
    others = [row for row in comparable if row is not best]
    verdicts = against_best(others, best, confidence)
    best_tests = {row.name: verdict for row, verdict in zip(others, verdicts, strict=True)}
    baseline_tests = dict(_paired([row for row in comparable if row is not base], base, confidence))
    lines = tuple(
        Line(
            row=row,
            intervals=row.intervals(confidence),
            notes=notes.letters(_remarks(row, marks[row.name])),
            best=bool(others) and row is best,
            level=row.name in best_tests and level(best_tests[row.name], confidence),
            verdict=baseline_tests.get(row.name),
            beside_best=best_tests.get(row.name),
        )
        for row in rows
    )
    methods = dict.fromkeys(verdict.difference.interval.method for verdict in verdicts)
    common = ", ".join(
        text
        for key, text in conditions(reference).items()
        if key != "selection" and text not in (DECODED, FP32)
    )
    return Section(rows[0].first.setting, common, lines, " or ".join(methods))


def _remarks(row: Row, marks: Sequence[str]) -> list[str]:
    # Selection on the test classes is noted for every row concerned, even if it is all rows.
    chosen = [text for text in SELECTION.values() if conditions(row)["selection"] == text]
    return [
        *chosen,
        *_constant(row),
        *_seen(row),
        *([GIVEN] if row.first.conditions.get("features") else []),
        *(mark for mark in marks if not mark.startswith(tuple(SELECTION.values()))),
    ]


def _seen(row: Row) -> list[str]:
    seen = row.first.conditions.get("seen_data")
    if not seen:
        return []
    known = SeenData(tuple(seen["data"]), seen["labels"])
    # A cross-domain run is called `TRAIN -> TEST`.
    tested = row.first.dataset.rpartition(" -> ")[2]
    return [text for text in [overlap(known, tested)] if text]


def _constant(row: Row) -> list[str]:
    shares = [run.same_scores for run in row.runs]
    return [CONSTANT] if max(shares) >= NEARLY_ALL else []


def _paired(
    rows: Sequence[Row], base: Row | None, confidence: float
) -> Iterator[tuple[str, Verdict]]:
    if base is not None and rows:
        for row, verdict in zip(rows, against(rows, base, confidence), strict=True):
            yield row.name, verdict
