"""Selection of hard, disputed and easy episodes."""

from pathlib import Path

from fsarbench.report.comparison.rows import rows_of
from fsarbench.report.html.episode_selection import DISPUTED, EASY, HARD, alike, choose, same_draw
from fsarbench.results.finished_runs import read_run
from tests.helpers.finished_runs import finish


def test_hard_easy_and_disputed_episodes(tmp_path: Path) -> None:
    folders = [finish(tmp_path, "one", 0.4), finish(tmp_path, "two", 0.7)]
    rows = rows_of([run for folder in folders for run in read_run(folder)])
    chosen = choose(rows, 3)
    assert [c.why for c in chosen] == [HARD] * 3 + [DISPUTED] * 3 + [EASY] * 3
    assert len({c.number for c in chosen}) == 9
    mean = sum(row.accuracies[0] for row in rows) / 2
    by_reason = {why: [c for c in chosen if c.why == why] for why in (HARD, EASY)}
    assert [mean[c.number] for c in by_reason[HARD]] == sorted(mean)[:3]
    assert min(mean[c.number] for c in by_reason[EASY]) == max(mean)
    for episode in chosen:
        assert episode.accuracies == tuple(row.accuracies[0][episode.number] for row in rows)


def test_one_method_has_no_disputed_episodes(tmp_path: Path) -> None:
    rows = rows_of(read_run(finish(tmp_path, "one")))
    assert {c.why for c in choose(rows, 1)} == {HARD, EASY}


def test_only_rows_with_the_same_episodes_are_alike(tmp_path: Path) -> None:
    options = {
        "one": {},
        "two": {},
        "other seed": {"episodes_seed": 1},
        "fewer": {"episodes": 100},
        "unkept": {"keep": False},
    }
    folders = [finish(tmp_path, name, **changed) for name, changed in options.items()]  # type: ignore[arg-type]
    rows = rows_of([run for folder in folders for run in read_run(folder)])
    assert [row.name for row in alike(rows)] == ["one", "two", "unkept"]
    # A run of fewer episodes draws the same episodes.
    assert [same_draw(row, rows[0]) for row in rows] == [True, True, False, True, True]
