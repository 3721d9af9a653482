import json
from pathlib import Path

import pytest

from fsarbench.errors import UserError
from fsarbench.report.comparison.columns import columns
from fsarbench.report.comparison.compare import comparison_of
from fsarbench.report.comparison.footnotes import remarks
from fsarbench.report.comparison.rows import Row, rows_of
from fsarbench.report.comparison.table import Comparison, Line
from fsarbench.results.finished_runs import read_run
from tests.helpers.finished_runs import finish


def comparison(folder: Path, **options: object) -> Comparison:
    return comparison_of([folder], **options)


def lines(found: Comparison) -> dict[str, Line]:
    return {line.row.name: line for line in found.lines}


def row(*places: Path) -> Row:
    (found,) = rows_of([run for place in places for run in read_run(place)])
    return found


def test_seeds_of_one_name_share_a_row(tmp_path: Path) -> None:
    for seed in range(3):
        finish(tmp_path, "one", seed=seed)
    finish(tmp_path, "two", adapter="Frozen")
    one, two = comparison(tmp_path).lines
    assert [run.conditions["seed"] for run in one.row.runs] == [0, 1, 2]
    assert set(one.intervals) == {"videos", "seeds", "episodes"}
    assert set(two.intervals) == {"videos", "episodes"}
    assert one.intervals["seeds"].n == 3
    assert (one.row.trainable, two.row.trainable) == ("AIM", "nothing")
    assert one.row.backbone == "tiny (own)"


def test_the_best_and_what_is_level_with_it_are_marked(tmp_path: Path) -> None:
    for name, right in (("best", 0.65), ("close", 0.645), ("far", 0.4)):
        finish(tmp_path, name, right)
    found = lines(comparison(tmp_path))
    assert [found[name].best for name in ("best", "close", "far")] == [True, False, False]
    assert [found[name].level for name in ("best", "close", "far")] == [False, True, False]


def test_a_backbone_that_all_rows_share_is_said_once(tmp_path: Path) -> None:
    place = finish(tmp_path, "a")
    finish(tmp_path, "b")
    alike = comparison(tmp_path)
    assert "backbone" not in [column.header for column in columns(alike)]
    assert "Backbone of all rows: tiny (own)." in remarks(alike)
    result = json.loads((place / "result.json").read_text())
    result["config"] = result["config"].replace("tiny", "large")
    (place / "result.json").write_text(json.dumps(result))
    other = comparison(tmp_path)
    (column,) = (column for column in columns(other) if column.header == "backbone")
    assert [column.text(line) for line in other.lines] == ["large (own)", "tiny (own)"]


def test_one_row_alone_is_not_the_best(tmp_path: Path) -> None:
    finish(tmp_path, "only")
    (line,) = comparison(tmp_path).lines
    assert not line.best


@pytest.mark.parametrize("named", [True, False], ids=["by name", "by folder"])
def test_a_baseline_adds_paired_differences(tmp_path: Path, named: bool) -> None:
    base = finish(tmp_path, "base", 0.5)
    finish(tmp_path, "better", 0.6)
    finish(tmp_path, "same", 0.501)
    found = lines(comparison(tmp_path, baseline="base" if named else str(base)))
    assert found["base"].verdict is None
    better, same = (found[name].verdict for name in ("better", "same"))
    assert better is not None
    assert same is not None
    assert better.difference.interval.mean == pytest.approx(
        found["better"].row.mean - found["base"].row.mean
    )
    assert "videos" in better.difference.interval.covers
    assert better.p_value < 0.01 < 0.3 < same.p_value
    # Two comparisons: Holm doubles the smaller p-value.
    assert better.p_value == pytest.approx(2 * better.difference.p_value)


def test_a_baseline_that_is_no_run_is_refused(tmp_path: Path) -> None:
    finish(tmp_path, "base")
    with pytest.raises(UserError, match=r"no run is called 'bas'.*Did you mean 'base'"):
        comparison(tmp_path, baseline="bas")


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"data_fingerprint": "xyzxyzxyz"}, "split hash xyzxyzxy, not split hash abcdefgh"),
        ({"episodes": 200}, "200 episodes, not 300 episodes"),
        ({"episodes_seed": 1}, "episode seed 1, not episode seed 0"),
        ({"queries_a_class": 3}, "3 queries per class, not 1 query per class"),
        ({"skipped_videos": {"a": "bad"}}, "1 video left out, not no videos left out"),
        ({"selection": "test"}, "checkpoint selected on the test classes"),
        ({"selection": "unknown"}, "classes of checkpoint selection unknown"),
        ({"clips": {"frames": 16, "size": 64, "sampling": "centre"}}, "16 frames"),
    ],
)
def test_a_row_under_other_conditions_is_marked_and_takes_no_part(
    tmp_path: Path, condition: dict, said: str
) -> None:
    finish(tmp_path, "a", 0.5)
    finish(tmp_path, "b", 0.6)
    finish(tmp_path, "other", 0.9, **condition)
    made = comparison(tmp_path, baseline="a")
    found = lines(made)
    assert (found["a"].notes, found["b"].notes, found["other"].notes) == ("", "", "a")
    assert said in made.notes["a"]
    assert found["b"].best
    assert not found["other"].best
    assert found["other"].verdict is None
    assert found["b"].verdict is not None
    assert any(remark.startswith("[a] ") for remark in remarks(made))


def test_selection_on_the_test_classes_is_said_also_where_all_did_it(tmp_path: Path) -> None:
    finish(tmp_path, "a", 0.5, selection="test")
    finish(tmp_path, "b", 0.6, selection="test")
    made = comparison(tmp_path)
    assert [line.notes for line in made.lines] == ["a", "a"]
    assert "test classes" in made.notes["a"]
    assert lines(made)["b"].best


def test_an_untrained_run_is_under_the_conditions_of_a_trained_one(tmp_path: Path) -> None:
    finish(tmp_path, "a", selection="none")
    finish(tmp_path, "b")
    assert not comparison(tmp_path).notes


def test_settings_are_kept_apart(tmp_path: Path) -> None:
    finish(tmp_path, "a", 0.5)
    finish(tmp_path / "five", "a", 0.7, shot=5)
    finish(tmp_path / "five", "b", 0.8, shot=5)
    made = comparison_of([tmp_path, tmp_path / "five"])
    assert [section.title for section in made.sections] == [
        "Toy, 5-way 1-shot",
        "Toy, 5-way 5-shot",
    ]
    assert [line.best for line in made.lines] == [False, False, True]
    assert not made.notes


def test_runs_of_one_name_that_are_no_repetitions_are_refused(tmp_path: Path) -> None:
    finish(tmp_path, "a", seed=0)
    finish(tmp_path, "a", seed=1, adapter="LoRA")
    with pytest.raises(UserError, match=r"called 'a'.*adapter\.type is 'AIM' in .*'LoRA' in"):
        comparison(tmp_path)


def test_the_same_seed_twice_is_refused(tmp_path: Path) -> None:
    first = finish(tmp_path / "1", "a")
    second = finish(tmp_path / "2", "a")
    with pytest.raises(UserError, match="a with seed 0 occurs more than once"):
        comparison_of([first, second])


def test_the_same_folder_twice_is_one_run(tmp_path: Path) -> None:
    place = finish(tmp_path, "a")
    made = comparison_of([place, place / "result.json", tmp_path])
    assert len(made.lines) == 1


def test_runs_without_their_videos_are_compared_over_episodes(tmp_path: Path) -> None:
    finish(tmp_path, "old", 0.5, keep=False)
    finish(tmp_path, "new", 0.6)
    made = comparison(tmp_path, baseline="old")
    found = lines(made)
    assert set(found["old"].intervals) == {"episodes"}
    assert found["old"].row.mean == pytest.approx(row(tmp_path / "old_0").accuracies.mean())
    verdict = found["new"].verdict
    assert verdict is not None
    assert "videos" in verdict.difference.interval.leaves_out
    assert any("have no episodes.npz" in remark for remark in remarks(made))


def test_unfinished_runs_are_named(tmp_path: Path) -> None:
    finish(tmp_path, "a")
    (tmp_path / "stopped").mkdir()
    assert "Unfinished runs, not in the table: stopped." in remarks(comparison(tmp_path))


def test_a_folder_without_runs_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no result at"):
        comparison(tmp_path)


def test_files_of_different_runs_are_found_out(tmp_path: Path) -> None:
    place = finish(tmp_path, "a", keep=False)
    (place / "episodes.csv").write_text("episode,accuracy\n0,0.5\n")
    with pytest.raises(UserError, match=r"1 episodes, but 300 in result\.json"):
        comparison(tmp_path)
    (place / "episodes.csv").write_text("episode,accuracy\n0,half\n")
    with pytest.raises(UserError, match=r"episodes\.csv has no accuracies"):
        comparison(tmp_path)


def test_the_memory_of_a_gpu_says_so(tmp_path: Path) -> None:
    place = finish(tmp_path, "a")
    result = json.loads((place / "result.json").read_text())
    result["memory"]["gpu_peak_bytes"] = 3 * 2**30
    (place / "result.json").write_text(json.dumps(result))
    made = comparison(tmp_path)
    column = next(column for column in columns(made) if column.header == "memory (GiB)")
    assert column.text(made.lines[0]) == "3.00 GPU"


def test_runs_of_several_settings_have_a_line_in_each(tmp_path: Path) -> None:
    finish(tmp_path, "a", 0.5, shots=(5, 10))
    finish(tmp_path, "b", 0.6, shots=(5,))
    made = comparison(tmp_path, baseline="a")
    assert [section.task for section in made.sections] == [
        "5-way 1-shot",
        "5-way 5-shot",
        "5-way 10-shot",
    ]
    for section, (low, high) in zip(made.sections, [(0.4, 0.7), (0.5, 0.8)], strict=False):
        a, b = section.lines
        assert low < a.row.mean < b.row.mean < high
        assert b.verdict is not None
        assert b.verdict.difference.interval.mean == pytest.approx(b.row.mean - a.row.mean)
    assert len(made.sections[2].lines) == 1


def test_a_file_of_a_setting_that_is_gone_is_named(tmp_path: Path) -> None:
    place = finish(tmp_path, "a", shots=(5,))
    (place / "episodes_5way_5shot.npz").unlink()
    with pytest.raises(UserError, match=r"episodes_5way_5shot\.npz is missing"):
        comparison(tmp_path)


def three_and_one(folder: Path, **options: object) -> Comparison:
    for seed in range(3):
        finish(folder, "thrice", 0.6, seed=seed)
    finish(folder, "once", 0.5)
    finish(folder, "untrained", 0.4, adapter="Frozen")
    return comparison(folder, **options)


def cell(made: Comparison, name: str, header: str) -> str:
    (column,) = (column for column in columns(made) if column.header == header)
    return column.text(lines(made)[name])


def test_a_test_against_one_training_says_so_in_its_cell_and_below(tmp_path: Path) -> None:
    """As a statement about methods such a test rejected a true null in 18 % of cases."""
    made = three_and_one(tmp_path, baseline="thrice")
    assert cell(made, "once", "p").endswith(" (one training)")
    assert cell(made, "once", "accuracy (%)").endswith(" (one training)")
    for header in ("p", "accuracy (%)"):
        assert "one training" not in cell(made, "untrained", header)
    (said,) = [remark for remark in remarks(made) if remark.startswith("(one training)")]
    assert "this one trained model and not its method" in said


def test_seeds_on_both_sides_speak_of_the_methods(tmp_path: Path) -> None:
    for seed in range(2):
        finish(tmp_path, "a", 0.6, seed=seed)
        finish(tmp_path, "b", 0.5, seed=seed)
    assert not any("one training" in remark for remark in remarks(comparison(tmp_path)))


@pytest.mark.parametrize("baseline", ["untrained", None])
def test_the_smallest_detectable_difference_stands_beside_the_test(
    tmp_path: Path, baseline: str | None
) -> None:
    made = three_and_one(tmp_path, baseline=baseline)
    found = lines(made)["once"]
    verdict = found.verdict if baseline else found.beside_best
    assert verdict is not None
    assert cell(made, "once", "MDE") == f"{100 * verdict.detectable:.2f}"
    # At a level that is corrected for two comparisons it is larger.
    assert verdict.detectable > verdict.difference.detectable(0.05) > 0
    assert cell(made, baseline or "thrice", "MDE") == ""
    assert any(remark.startswith("MDE: minimum detectable effect") for remark in remarks(made))


def test_what_is_not_available_says_why(tmp_path: Path) -> None:
    for name in ("a", "b"):
        finish(tmp_path, name, 2.0)
    finish(tmp_path, "c", 0.5)
    made = comparison(tmp_path, baseline="a")
    assert cell(made, "a", "± videos") == cell(made, "a", "± episodes") == "n/a"
    assert cell(made, "b", "difference") == "+0.00 ± n/a"
    assert cell(made, "b", "MDE") == "n/a"
    said = remarks(made)
    assert any(remark.startswith("± videos is n/a (a, b): all 300 episodes") for remark in said)
    assert any(remark.startswith("no test, or n/a in a difference") for remark in said)


def test_a_row_whose_scores_are_constant_is_marked(tmp_path: Path) -> None:
    runs = [finish(tmp_path, name) for name in ("good", "bad")]
    file = runs[1] / "result.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "same_scores": 1.0}))
    comparison = comparison_of(runs)
    assert [line.notes for line in comparison.lines] == ["", "a"]
    assert any("equal scores for all classes" in line for line in remarks(comparison))


def test_weights_that_have_seen_the_test_classes_are_marked(tmp_path: Path) -> None:
    kinetics = {"data": ["kinetics-400"], "labels": True}
    finish(tmp_path, "seen", dataset="kinetics100", seen_data=kinetics)
    finish(tmp_path, "other", dataset="kinetics100", seen_data={"data": [], "labels": False})
    finish(tmp_path, "unknown", dataset="kinetics100", seen_data=None)
    finish(tmp_path, "older", dataset="kinetics100")
    finish(tmp_path, "elsewhere", dataset="ssv2", seen_data=kinetics)
    finish(tmp_path, "across", dataset="ssv2 -> kinetics100", seen_data=kinetics)
    table = comparison(tmp_path)
    found = lines(table)
    assert found["seen"].notes == found["across"].notes == "a"
    assert [found[name].notes for name in ("other", "unknown", "older", "elsewhere")] == [""] * 4
    note = "[a] pretrained on kinetics-400, which contains the test classes, with their labels."
    assert note in remarks(table)
    # The conditions of the test are the same: it is compared like the others.
    assert found["seen"].best or found["seen"].beside_best is not None
