"""Runs and table of a config with several seeds, without training."""

from pathlib import Path

import pytest

from fsarbench.config.loading import load_config
from fsarbench.config.validation import check_config
from fsarbench.errors import UserError
from fsarbench.experiments.plan import Planned
from fsarbench.experiments.seeds import run_seeds

BASE = "frozen_synthact_1shot"
SEEDS = ["seeds=[0, 1, 2]"]


def test_each_seed_is_a_run_and_the_table_has_one_row(
    launched: list[Planned], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_seeds(BASE, SEEDS, name="mine")
    assert [run.folder for run in launched] == [Path(f"runs/mine/seed_{n}") for n in (0, 1, 2)]
    assert [run.sets for run in launched] == [[f"seed={n}"] for n in (0, 1, 2)]
    output = capsys.readouterr().out
    # Student's t with two degrees of freedom.
    assert "± seeds: 95% confidence interval, Student's t over training seeds" in output
    assert "± seeds" in Path("runs/mine/table.md").read_text()
    assert Path("runs/mine/table.json").is_file()


def test_finished_seeds_are_not_repeated(launched: list[Planned]) -> None:
    run_seeds(BASE, ["seeds=[0, 1]"], work_dir="w")
    with pytest.raises(UserError, match="not empty"):
        run_seeds(BASE, SEEDS, work_dir="w")
    assert run_seeds(BASE, SEEDS, work_dir="w", resume=True)
    assert [run.seed for run in launched] == [0, 1, 2]


def test_a_failed_seed_is_reported(
    launched: list[Planned], capsys: pytest.CaptureFixture[str]
) -> None:
    assert not run_seeds(BASE, SEEDS, name="bad")
    assert len(launched) == 3
    assert "bad, seed 2 failed: too bad" in capsys.readouterr().out


def test_seeds_with_other_settings_are_rejected(launched: list[Planned]) -> None:
    run_seeds(BASE, ["seeds=[0]"], work_dir="w")
    with pytest.raises(UserError, match=r"clips\.frames is 8 there and 4 here"):
        run_seeds(BASE, [*SEEDS, "clips.frames=4"], work_dir="w", resume=True)
    with pytest.raises(UserError, match="the name is frozen_synthact_1shot there and other here"):
        run_seeds(BASE, SEEDS, work_dir="w", resume=True, name="other")


def config(folder: Path, text: str) -> str:
    (folder / "mine.py").write_text(f"_base_ = ['{BASE}.py']\n{text}\n")
    return str(folder / "mine.py")


def test_seed_and_seeds_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'seeds' and 'seed' are both given"):
        check_config(load_config(config(tmp_path, "seed = 1\nseeds = [1, 2]")))
    with pytest.raises(UserError, match="'seeds' and 'seed' are both given"):
        check_config(load_config(BASE, ["seed=1", *SEEDS]))


def test_an_override_of_seed_replaces_seeds_and_the_reverse(tmp_path: Path) -> None:
    assert "seeds" not in load_config(config(tmp_path, "seeds = [1, 2]"), ["seed=3"]).values
    assert "seed" not in load_config(config(tmp_path, "seed = 1"), SEEDS).values


@pytest.mark.parametrize("wrong", ["[]", "[0, 0]", "[-1]", "3", "[True]", "['a']"])
def test_invalid_seeds_are_rejected(wrong: str) -> None:
    with pytest.raises(UserError, match=r"--set seeds=.*(expected list|comes twice)"):
        check_config(load_config(BASE, [f"seeds={wrong}"]))


def test_several_seeds_with_several_processes_are_rejected(
    launched: list[Planned], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="several processes"):
        run_seeds(BASE, SEEDS)
