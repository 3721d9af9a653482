"""`fsarbench sweep` with two seeds of one row, and a row that fails."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fsarbench.results.run_result import read_result
from fsarbench.runtime.folder_lock import locked_folder
from tests.helpers.toy_dataset import environment, fsarbench, make_toy

ROWS = '''"""Two rows.

What is said of them.
"""

rows = [
    dict(name="gone", config="toy.py", set=["dataset.root=nowhere"]),
    dict(name="wrong", config="toy.py", set=["matcher.warp=1"]),
    dict(name="here", config="toy.py", seeds=[0, 1]),
]
'''


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_toy(tmp_path_factory.mktemp("toy"))
    (folder / "rows.py").write_text(ROWS)
    return folder


def test_a_failing_row_stops_no_other_and_finished_runs_are_kept(toy: Path) -> None:
    command = ("sweep", "rows.py", "--work-dir", "all", "-o", "table.md")
    done = fsarbench(toy, *command)
    assert done.returncode == 1, done.stderr
    said = done.stdout.splitlines()
    assert said[0].startswith("wrong cannot be run and is left out:")
    assert "3 runs in all" in done.stdout
    assert "[1/3] gone: failed after" in done.stdout
    assert "nowhere" in (toy / "all" / "gone" / "log.txt").read_text()
    table = (toy / "table.md").read_text()
    assert table.startswith("# Two rows\n\nWhat is said of them.\n")
    for part in ("    fsarbench sweep rows.py --work-dir all -o table.md", "| here |", "± seeds"):
        assert part in table
    left = table.partition("## Not in the table")[2]
    assert "- gone: " in left
    assert "- wrong: " in left

    results = sorted(toy.glob("all/here/seed_*/result.json"))
    assert [json.loads(path.read_text())["conditions"]["seed"] for path in results] == [0, 1]
    before = [path.stat().st_mtime_ns for path in results]
    (toy / "rows.py").write_text('rows = [dict(name="here", config="toy.py", seeds=[0, 1])]')
    again = fsarbench(toy, "sweep", "rows.py", "--work-dir", "all", "--baseline", "here")
    assert again.returncode == 0, again.stderr
    assert again.stdout.count(", finished earlier") == 2
    assert [path.stat().st_mtime_ns for path in results] == before


def test_two_processes_give_the_predictions_of_one(toy: Path) -> None:
    (toy / "three.py").write_text(
        """rows = [
    dict(name="adapter", config="toy.py", seeds=[0, 1]),
    dict(name="gone", config="toy.py", set=["dataset.root=nowhere"]),
]
"""
    )
    one = fsarbench(toy, "sweep", "three.py", "--work-dir", "one")
    two = fsarbench(toy, "sweep", "three.py", "--work-dir", "two", "-j", "2")
    assert (one.returncode, two.returncode) == (1, 1), one.stderr + two.stderr
    assert "gone: failed: " in two.stdout
    assert len(re.findall(r"job \d+ of local, after", two.stdout)) == 2
    for seed in ("seed_0", "seed_1"):
        results = [read_result(toy / folder / "adapter" / seed) for folder in ("one", "two")]
        assert results[0]["accuracy"] == results[1]["accuracy"]
        assert results[0]["training"] == results[1]["training"]
        found = [np.load(toy / f / "adapter" / seed / "episodes.npz") for f in ("one", "two")]
        assert (found[0]["predictions"] == found[1]["predictions"]).all()


def test_an_interrupted_sweep_ends_its_processes_and_can_be_continued(toy: Path) -> None:
    sweep = ("sweep", "toy.py", "--work-dir", "long", "-j", "1", "--set", "train.episodes=4000")
    log = toy / "long" / "toy" / "log.txt"
    with subprocess.Popen(
        [sys.executable, "-m", "fsarbench", *sweep], cwd=toy, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        while not log.is_file() or "loading config" not in log.read_text():
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    # The lock of the folder is free, so nothing computes there.
    with locked_folder(log.parent, patience=20):
        pass
    status = fsarbench(toy, *sweep[:4], *sweep[6:], "--status")
    assert "failed: interrupted" in status.stdout, status.stdout
