"""A sweep on a real Slurm cluster of one node; skipped with the reason where none can be started.

`FSARBENCH_TEST_LOG=FILE` keeps the output of the commands and the states of the jobs.
"""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fsarbench.results.run_result import read_result
from tests.helpers.slurm_cluster import NoClusterError, one_node_cluster
from tests.helpers.toy_dataset import fsarbench, make_toy

ROWS = """rows = [
    dict(name="adapter", config="toy.py", set=["train.episodes=80"]),
    dict(name="cancelled", config="toy.py", set=["train.episodes=120"]),
    dict(name="bad", config="toy.py", set=["dataset.root=nowhere"]),
    dict(name="frozen", config="toy.py", set=["train.episodes=0"]),
]
"""
SLURM = ("--executor", "slurm", "--time", "10", "--cpus", "1", "-j", "2")


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Four small rows, next to a cluster."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    try:
        with one_node_cluster(folder) as conf:
            monkeypatch.setenv("SLURM_CONF", str(conf))
            (tmp_path / "toy").mkdir()
            yield make_toy(tmp_path / "toy")
    except NoClusterError as error:
        pytest.skip(str(error))


def note(text: str) -> None:
    """Keep a text in the log, if one is asked for."""
    if path := os.environ.get("FSARBENCH_TEST_LOG"):
        with Path(path).open("a") as log:
            log.write(text.rstrip() + "\n\n")


def run(folder: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    done = fsarbench(folder, *args)
    note(f"$ fsarbench {' '.join(args)}\n{done.stdout}{done.stderr}exit status {done.returncode}")
    return done


def queue() -> str:
    """States of all jobs."""
    command = ["squeue", "--array", "--states=all", "--format=%i %T %r %M"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    note(f"$ {' '.join(command)}\n{text}")
    return text


def wait_for(log: Path, text: str) -> None:
    deadline = time.monotonic() + 240
    while text not in (log.read_text() if log.exists() else ""):
        assert time.monotonic() < deadline, f"no '{text}' in {log}"
        time.sleep(0.2)


def predictions(folder: Path) -> np.ndarray:
    with np.load(folder / "episodes.npz") as file:
        return np.asarray(file["predictions"])


def interrupt(process: "subprocess.Popen[str]", log: Path) -> str:
    """Interrupt the sweep as Ctrl-C does; return its output."""
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    note(f"$ fsarbench sweep ... (interrupted)\n{log.read_text()}")
    return log.read_text()


def table(path: Path) -> list[dict[str, str]]:
    """Rows of a table, without the peak memory, which depends on the process."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["method"] for row in rows} == {"adapter", "cancelled", "frozen"}
    return [{k: v for k, v in row.items() if k != "peak_bytes"} for row in rows]


def test_a_sweep_on_slurm_survives_a_cancelled_job_and_equals_the_local_one(toy: Path) -> None:
    sweep = ("sweep", "rows.py", "--work-dir", "slurm")
    (toy / "rows.py").write_text(ROWS)
    log = toy / "sweep.out"
    with log.open("w") as out:
        command = [sys.executable, "-m", "fsarbench", *sweep, *SLURM]
        process = subprocess.Popen(command, cwd=toy, stdout=out, stderr=out)
        try:
            wait_for(toy / "slurm" / "cancelled" / "log.txt", "loading config")
            status = run(toy, *sweep, "--status").stdout
            said = interrupt(process, log)
        finally:
            process.kill()
            process.wait()
        assert "running" in status
        assert "queued" in status
    assert "Jobs that stay on Slurm" in said
    job = re.search(r"^cancelled: job (\S+) of slurm", said, re.MULTILINE)
    assert job is not None
    assert f"{job[1]} RUNNING" in queue()
    subprocess.run(["scancel", job[1]], check=True)
    deadline = time.monotonic() + 60
    while f"{job[1]} CANCELLED" not in queue():
        assert time.monotonic() < deadline
        time.sleep(1)
    assert "failed: CANCELLED, after: " in run(toy, *sweep, "--status").stdout

    again = run(toy, *sweep, *SLURM, "-o", "slurm.csv")
    queue()
    assert again.returncode == 1, again.stderr  # one row fails
    submitted = re.findall(r"^(\w+): job \S+ of slurm$", again.stdout, re.MULTILINE)
    assert "cancelled" in submitted
    assert set(submitted) <= {"cancelled", "bad"}  # the others are queued, or finished
    assert "bad: failed: There is no folder" in again.stdout

    local = run(toy, "sweep", "rows.py", "--work-dir", "local", "-j", "2", "-o", "local.csv")
    assert local.returncode == 1, local.stderr
    assert table(toy / "slurm.csv") == table(toy / "local.csv")
    for name in ("adapter", "cancelled", "frozen"):
        one, other = toy / "slurm" / name, toy / "local" / name
        assert read_result(one)["accuracy"] == read_result(other)["accuracy"]
        assert (predictions(one) == predictions(other)).all()
