"""Commands that run at the same time, and workers that are killed: no wrong number and no hang."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.toy_dataset import environment, make_toy

# Pairs of runs, and kills of a worker; the project's own check takes twenty of each.
PAIRS = int(os.environ.get("FSARBENCH_TEST_PAIRS", "2"))
KILLS = int(os.environ.get("FSARBENCH_TEST_WORKER_KILLS", "1"))
ROOT = Path(__file__).parents[2]
HELPER = ROOT / "tests" / "helpers" / "forked_commands.py"


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_toy(tmp_path_factory.mktemp("simultaneous"))


def together(folder: Path, kind: str, count: int, *commands: list[str]) -> list[Any]:
    """What became of commands that began together, `count` times."""
    done = subprocess.run(
        [sys.executable, str(HELPER), kind, str(count), json.dumps(commands)],
        cwd=folder,
        env={**environment(), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout.splitlines()[-1])
    assert len(found) == count
    return found


def of_seed(seed: int, *args: str) -> list[str]:
    sets = ("--set", f"evaluate.seed={seed}", "--set", "train.episodes=2")
    return ["run", "toy.py", "--quiet", *sets, *args]


def accuracy(folder: Path) -> float:
    return float(json.loads((folder / "result.json").read_text())["accuracy"]["mean"])


def test_runs_of_one_name_have_a_folder_each_and_their_own_numbers(toy: Path) -> None:
    together(toy, "pair", 1, *(of_seed(seed, f"--work-dir=alone{seed}") for seed in (1, 2)))
    alone = {seed: accuracy(toy / f"alone{seed}") for seed in (1, 2)}
    assert alone[1] != alone[2]
    pairs = together(toy, "pair", PAIRS, *(of_seed(seed, "--name", "twin") for seed in (1, 2)))
    folders = set()
    for pair in pairs:
        for seed, done in zip((1, 2), pair, strict=True):
            assert done["code"] == 0, done
            folder = toy / done["out"].rpartition("written to ")[2].strip()
            folders.add(folder)
            result = json.loads((folder / "result.json").read_text())
            assert result["conditions"]["episodes_seed"] == seed
            assert accuracy(folder) == alone[seed]
            assert f"{alone[seed]:.2%}" in done["out"]
    assert len(folders) == 2 * PAIRS


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the workers")
def test_a_killed_worker_ends_a_run_with_one_message(toy: Path) -> None:
    sets = ("train.episodes=2000", "train.val_interval=10", "train.workers=2", "evaluate.workers=2")
    command = ["run", "toy.py", "--quiet", *(part for key in sets for part in ("--set", key))]
    for (done,) in together(toy, "kill", KILLS, [*command, "--name", "killed"]):
        assert done["code"] == 2, done
        # Which it is depends on what the worker was at.
        assert "fsarbench: A worker process that decodes videos was killed" in done["err"] or (
            "fsarbench: Decoding processes cannot be started or reached" in done["err"]
        )
        assert done["err"].count("\n") == 1, done


def test_of_two_sweeps_over_one_folder_one_waits_or_is_refused(toy: Path) -> None:
    command = ["sweep", "toy.py", "--work-dir", "swept", "--set", "train.episodes=2"]
    (pair,) = together(toy, "pair", 1, command, command)
    assert 0 in [done["code"] for done in pair], pair
    for done in pair:
        if done["code"]:
            assert done["code"] == 2
            assert "being written by another process" in done["err"]
            assert done["err"].count("\n") == 1
    results = sorted((toy / "swept").rglob("result.json"))
    assert len(results) == 1
    assert 0 < accuracy(results[0].parent) < 1


def test_two_that_fill_one_store_lose_no_entry(toy: Path) -> None:
    command = ["data", "cache", "videos", "--size", "64", "--workers", "1"]
    (pair,) = together(toy, "pair", 1, command, command)
    for done in pair:
        assert done["code"] == 0 or "being written by another process" in done["err"], pair
    (again,) = together(toy, "pair", 1, command)
    assert again[0]["code"] == 0
