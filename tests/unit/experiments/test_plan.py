"""Plan and output of sweeps, without training."""

from pathlib import Path

import pytest

from fsarbench.errors import UserError
from fsarbench.experiments.plan import Planned
from fsarbench.experiments.sweep import sweep
from fsarbench.experiments.sweep_file import read_sweep
from fsarbench.report.comparison.compare import comparison_of

BASE = "frozen_synthact_1shot"
GRID = ("matcher.type=OTAM,BiMHM", "clips.frames=4,8")


def titles(runs: list[Planned]) -> list[str]:
    return [run.title for run in runs]


def test_every_combination_is_a_run_with_name_and_folder(launched: list[Planned]) -> None:
    assert sweep([BASE, "mafsar_synthact_1shot"], grid=GRID, overrides=["seeds=[3, 5]"])
    assert len(launched) == 2 * 2 * 2 * 2
    assert titles(launched)[:3] == [
        f"{BASE}: matcher=OTAM, clips.frames=4, seed 3",
        f"{BASE}: matcher=OTAM, clips.frames=4, seed 5",
        f"{BASE}: matcher=OTAM, clips.frames=8, seed 3",
    ]
    last = launched[-1]
    assert last.folder == Path(
        f"runs/sweep_{BASE}/mafsar_synthact_1shot_matcher=BiMHM_clips.frames=8/seed_5"
    )
    assert last.sets == ["matcher.type=BiMHM", "clips.frames=8", "seed=5"]
    assert (last.loaded.values["matcher"], last.loaded.values["seed"]) == ({"type": "BiMHM"}, 5)
    assert len({run.hash for run in launched}) == 8  # The hash does not depend on the seed.


def test_names_from_a_pattern(launched: list[Planned]) -> None:
    sweep([BASE], grid=GRID, name="{matcher.type}, {clips.frames} frames")
    assert titles(launched)[1] == "OTAM, 8 frames"


def test_rows_with_equal_names_are_rejected(launched: list[Planned]) -> None:
    with pytest.raises(UserError, match="Two rows are called 'OTAM'"):
        sweep([BASE], grid=GRID, name="{matcher.type}")
    assert not launched


def test_a_row_with_an_unknown_placeholder_is_skipped(
    launched: list[Planned], capsys: pytest.CaptureFixture[str]
) -> None:
    assert not sweep([BASE], name="{matcher.tipe}")
    assert "Did you mean 'matcher.type'?" in capsys.readouterr().out
    assert not launched


def test_invalid_rows_are_reported_before_the_first_run(
    launched: list[Planned], capsys: pytest.CaptureFixture[str]
) -> None:
    grid = ("matcher.type=OTMA,OTAM", "matcher.temperature=0.1,warm")
    assert not sweep([BASE], grid=grid)
    assert titles(launched) == [f"{BASE}: matcher=OTAM, matcher.temperature=0.1"]
    output = capsys.readouterr().out
    assert output.count("cannot be run") == 3
    assert output.index("cannot be run") < output.index("[1/1]")
    assert "Did you mean 'OTAM'?" in output


def test_a_failed_run_is_listed_below_the_table(launched: list[Planned]) -> None:
    Path("rows.py").write_text(
        '"""Two rows."""\n'
        f"rows = [dict(name='bad one', config='{BASE}'), dict(name='good', config='{BASE}')]\n"
        "seeds = [0, 1]\n"
    )
    command = "fsarbench sweep rows.py -o docs/table.md"
    assert not sweep(["rows.py"], out="docs/table.md", command=command)
    assert titles(launched) == [
        "bad one, seed 0",
        "bad one, seed 1",
        "good, seed 0",
        "good, seed 1",
    ]
    page = Path("docs/table.md").read_text()
    assert "    fsarbench sweep rows.py -o docs/table.md\n" in page
    assert "hash `abcdefghij`" in page
    assert f"| good | `{BASE}` |  | 0, 1 | `{launched[-1].hash}` |" in page
    table, _, rest = page.partition("## Not in the table")
    assert "| bad one" not in table
    assert "- bad one, seed 1: too bad" in rest


def test_finished_runs_are_not_repeated(launched: list[Planned]) -> None:
    assert sweep([BASE], grid=("matcher.type=OTAM",))
    assert sweep([BASE], grid=("matcher.type=OTAM,BiMHM",))
    assert titles(launched) == [f"{BASE}: matcher={name}" for name in ("OTAM", "BiMHM")]


def test_a_folder_with_a_run_of_other_settings_is_rejected(
    launched: list[Planned], capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep([BASE], work_dir="w", overrides=["evaluate.episodes=100"])
    # The number of workers does not affect results.
    other = ["evaluate.episodes=100", "evaluate.workers=7"]
    assert sweep([BASE], work_dir="w", overrides=other)
    assert not sweep([BASE], work_dir="w", overrides=["evaluate.episodes=200"])
    assert "evaluate.episodes is 100 there and 200 here" in capsys.readouterr().out
    assert len(launched) == 1


def test_an_invalid_output_file_is_rejected_before_the_first_run(launched: list[Planned]) -> None:
    with pytest.raises(UserError, match=r"\.md"):
        sweep([BASE], out="table.doc")
    assert not launched


def test_sweeps_with_several_processes_are_rejected(
    launched: list[Planned], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="several processes"):
        sweep([BASE])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rows = []", "expected rows = "),
        ("rows = [dict(name='a')]", r"expected dict\(config='NAME'"),
        ("rows = [dict(config='a', nam='b')]", "Did you mean 'name'"),
        ("rows = [dict(config='a', set='b=c')]", "set is 'b=c', expected a list"),
        ("rows = [dict(config='a')]\nsees = [1]", "but found sees"),
    ],
)
def test_an_invalid_sweep_file_is_rejected(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "rows.py").write_text(text)
    with pytest.raises(UserError, match=message):
        read_sweep(str(tmp_path / "rows.py"))


@pytest.mark.parametrize("axis", ["a", "a=", "=1", "a=1,1", "a=1,,2"])
def test_an_invalid_axis_is_rejected(axis: str) -> None:
    with pytest.raises(UserError, match="--grid"):
        sweep([BASE], grid=(axis,))


def test_two_axes_with_the_same_key_are_rejected() -> None:
    with pytest.raises(UserError, match="given twice"):
        sweep([BASE], grid=("a=1", "a=2"))


def test_the_folder_of_a_sweep_can_be_compared(launched: list[Planned]) -> None:
    sweep([BASE], work_dir="w", overrides=["seeds=[0, 1]"], grid=GRID[:1])
    sweep([BASE], work_dir="w", name="no seeds")
    rows = comparison_of([Path("w")]).lines
    assert [(line.row.name, len(line.row.runs)) for line in rows] == [
        (f"{BASE}: matcher=BiMHM", 2),
        (f"{BASE}: matcher=OTAM", 2),
        ("no seeds", 1),
    ]
