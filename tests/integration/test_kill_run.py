"""Runs that are killed at random moments and resumed give the numbers of an undisturbed run."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.helpers.toy_dataset import make_toy

# Kills of each phase; the project's own check takes ten.
KILLS = int(os.environ.get("FSARBENCH_TEST_KILLS", "2"))
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = make_toy(tmp_path_factory.mktemp("killed"))
    done = subprocess.run(
        [sys.executable, "-m", "tests.helpers.killing", str(KILLS), "7"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout.splitlines()[-1])


def test_a_result_is_whole_or_absent_at_every_moment(killed: tuple[Path, dict[str, Any]]) -> None:
    kills = killed[1]["kills"]
    assert sum(kill["killed"] for kill in kills) == 2 * KILLS
    seen = {state for kill in kills for state in kill["seen"]}
    assert "absent" in seen
    assert "broken" not in seen


def test_killed_runs_go_on_to_the_same_numbers(killed: tuple[Path, dict[str, Any]]) -> None:
    folder = killed[0]
    whole, weights = numbers(folder / "whole"), load_file(folder / "whole" / "best.safetensors")
    assert 0 < whole["accuracy"]["mean"] < 1
    assert len(whole["training"]["validations"]) == 4
    others = sorted(path for path in folder.glob("t*_*") if path.is_dir())
    assert len(others) == 2 * KILLS
    for other in others:
        assert numbers(other) == whole, other
        for name in ("episodes.csv", "config.py"):
            assert (other / name).read_bytes() == (folder / "whole" / name).read_bytes(), other
        for name, value in load_file(other / "best.safetensors").items():
            torch.testing.assert_close(value, weights[name], rtol=0, atol=0)
        same_episodes(other / "episodes.npz", folder / "whole" / "episodes.npz")


def test_what_was_trained_is_not_trained_again(killed: tuple[Path, dict[str, Any]]) -> None:
    for log in killed[0].glob("test_*.log"):
        assert log.read_text().count("train 2/8") == 1


def numbers(folder: Path) -> dict[str, Any]:
    """Fields of a result that are equal in repeated runs."""
    result = json.loads((folder / "result.json").read_text())
    return {k: v for k, v in result.items() if k not in ("seconds", "memory")}


def same_episodes(one: Path, other: Path) -> None:
    with np.load(one) as ours, np.load(other) as theirs:
        assert sorted(ours) == sorted(theirs)
        for name in ours:
            np.testing.assert_array_equal(ours[name], theirs[name])
