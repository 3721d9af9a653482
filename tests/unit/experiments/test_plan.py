"""What a sweep plans, keeps, refuses and writes; nothing is trained here."""

from pathlib import Path

import pytest

from fsarbench.errors import UserError
from fsarbench.experiments.plan import Planned
from fsarbench.experiments.sweep import sweep
from fsarbench.experiments.sweep_file import read_sweep
from fsarbench.report.comparison.compare import comparison_of

BASE = "frozen_synthact_1shot"
GRID = ("matcher.type=OTAM,BiMHM", "clips.frames=4,8")


def names(runs: list[Planned]) -> list[str]:
    return [run.title for run in runs]


def test_every_combination_is_a_run_with_a_name_and_a_folder(launched: list[Planned]) -> None:
    assert sweep([BASE, "mafsar_synthact_1shot"], grid=GRID, overrides=["seeds=[3, 5]"])
    assert len(launched) == 2 * 2 * 2 * 2
    assert names(launched)[:3] == [
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
    assert len({run.hash for run in launched}) == 8  # The seed is no part of it.


def test_names_come_from_a_pattern(launched: list[Planned]) -> None:
    sweep([BASE], grid=GRID, name="{matcher.type}, {clips.frames} frames")
    assert names(launched)[1] == "OTAM, 8 frames"


def test_rows_of_one_name_are_refused(launched: list[Planned]) -> None:
    with pytest.raises(UserError, match="Two rows are called 'OTAM'"):
        sweep([BASE], grid=GRID, name="{matcher.type}")
    assert not launched


def test_a_place_that_is_no_key_leaves_the_row_out(
    launched: list[Planned], capsys: pytest.CaptureFixture[str]
) -> None:
    assert not sweep([BASE], name="{matcher.tipe}")
    assert "Did you mean 'matcher.type'?" in capsys.readouterr().out
    assert not launched


def test_what_fails_the_check_is_said_before_the_first_run(
    launched: list[Planned], capsys: pytest.CaptureFixture[str]
) -> None:
    grid = ("matcher.type=OTMA,OTAM", "matcher.temperature=0.1,warm")
    assert not sweep([BASE], grid=grid)
    assert names(launched) == [f"{BASE}: matcher=OTAM, matcher.temperature=0.1"]
    said = capsys.readouterr().out
    assert said.count("cannot be run") == 3
    assert said.index("cannot be run") < said.index("[1/1]")
    assert "Did you mean 'OTAM'?" in said


def test_a_failing_run_is_in_the_page_and_not_in_its_table(launched: list[Planned]) -> None:
    Path("rows.py").write_text(
        '"""Two rows."""\n'
        f"rows = [dict(name='bad one', config='{BASE}'), dict(name='good', config='{BASE}')]\n"
        "seeds = [0, 1]\n"
    )
    command = "fsarbench sweep rows.py -o docs/table.md"
    assert not sweep(["rows.py"], out="docs/table.md", command=command)
    assert names(launched) == ["bad one, seed 0", "bad one, seed 1", "good, seed 0", "good, seed 1"]
    page = Path("docs/table.md").read_text()
    assert "    fsarbench sweep rows.py -o docs/table.md\n" in page
    assert "hash `abcdefghij`" in page
    assert f"| good | `{BASE}` |  | 0, 1 | `{launched[-1].hash}` |" in page
    table, _, left = page.partition("## Not in the table")
    assert "| bad one" not in table
    assert "- bad one, seed 1: too bad" in left


def test_what_is_finished_is_kept(launched: list[Planned]) -> None:
    assert sweep([BASE], grid=("matcher.type=OTAM",))
    assert sweep([BASE], grid=("matcher.type=OTAM,BiMHM",))
    assert names(launched) == [f"{BASE}: matcher={name}" for name in ("OTAM", "BiMHM")]


def test_a_folder_with_a_run_of_other_settings_is_not_gone_on_with(
    launched: list[Planned], capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep([BASE], work_dir="w", overrides=["evaluate.episodes=100"])
    # Workers change no number.
    other = ["evaluate.episodes=100", "evaluate.workers=7"]
    assert sweep([BASE], work_dir="w", overrides=other)
    assert not sweep([BASE], work_dir="w", overrides=["evaluate.episodes=200"])
    assert "evaluate.episodes is 100 there and 200 here" in capsys.readouterr().out
    assert len(launched) == 1


def test_the_output_is_named_before_anything_runs(launched: list[Planned]) -> None:
    with pytest.raises(UserError, match=r"\.md"):
        sweep([BASE], out="table.doc")
    assert not launched


def test_ranks_do_not_sweep(launched: list[Planned], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="several processes"):
        sweep([BASE])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rows = []", "a sweep has rows"),
        ("rows = [dict(name='a')]", r"a row is dict\(config='NAME'"),
        ("rows = [dict(config='a', nam='b')]", "Did you mean 'name'"),
        ("rows = [dict(config='a', set='b=c')]", "set is a list"),
        ("rows = [dict(config='a')]\nsees = [1]", "not sees"),
    ],
)
def test_a_wrong_file_says_where(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "rows.py").write_text(text)
    with pytest.raises(UserError, match=said):
        read_sweep(str(tmp_path / "rows.py"))


@pytest.mark.parametrize("axis", ["a", "a=", "=1", "a=1,1", "a=1,,2"])
def test_a_wrong_axis_is_named(axis: str) -> None:
    with pytest.raises(UserError, match="--grid"):
        sweep([BASE], grid=(axis,))


def test_a_key_has_one_axis() -> None:
    with pytest.raises(UserError, match="comes twice"):
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
