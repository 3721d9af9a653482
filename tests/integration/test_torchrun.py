"""`torchrun -m fsarbench run`: one run of two processes on a CPU."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fsarbench.results.run_result import read_result
from tests.helpers.toy_dataset import environment, fsarbench, make_toy

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_toy(tmp_path_factory.mktemp("toy"))


def test_two_processes_make_one_run(toy: Path) -> None:
    done = subprocess.run(
        [*TORCHRUN, "-m", "fsarbench", "run", "toy.py", "--set=train.accumulate=1"],
        cwd=toy,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    # One of the two chose the folder, wrote and printed.
    assert [path.name for path in (toy / "runs").iterdir()] == ["toy"]
    assert done.stdout.count("written to") == 1
    assert done.stderr.count("train 8/8") == 1
    assert done.stderr.count("loading config") == 1
    result = read_result(toy / "runs" / "toy")
    assert result["device"]["processes"] == 2
    assert [entry["episode"] for entry in result["training"]["validations"]] == [2, 4, 6, 8]

    alone = fsarbench(toy, "eval", "toy.py", "--checkpoint=runs/toy", "--work-dir=alone")
    assert alone.returncode == 0, alone.stderr
    with np.load(toy / "runs/toy/episodes.npz") as two, np.load(toy / "alone/episodes.npz") as one:
        for name in two:
            np.testing.assert_array_equal(two[name], one[name])
