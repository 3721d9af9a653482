"""Sweeps as jobs: submitted once, waited for, continued; with made-up results and no cluster."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import submitit

from fsarbench.errors import UserError
from fsarbench.experiments import executor, job_queues, run_job, sweep_jobs
from fsarbench.experiments.engine import Engine
from fsarbench.experiments.job_queues import LocalQueue, SlurmQueue
from fsarbench.experiments.plan import Planned
from fsarbench.experiments.run_job import JobRecord, RunJob, read_record
from fsarbench.experiments.sweep import sweep
from fsarbench.experiments.sweep_status import print_status, sweep_status
from tests.helpers.pretended_slurm import PretendedSlurm

BASE = "frozen_synthact_1shot"
ROWS = f"""rows = [
    dict(name="first", config="{BASE}", seeds=[0, 1]),
    dict(name="bad", config="{BASE}"),
    dict(name="last", config="{BASE}"),
]
"""
SLURM = Engine(executor="slurm", time="10", jobs=2, cpus=1)


@pytest.fixture
def runs(launched: list[Planned]) -> list[Planned]:
    """Runs that were computed, in a folder with a sweep file; `bad` fails."""
    Path("rows.py").write_text(ROWS)
    return launched


def work(run: Planned) -> str:
    """Compute a run as `launched` does, into a folder that exists; the reason for a failure."""
    record, folder = read_record(run.folder), run.folder
    (folder / "config.py").unlink()
    (folder / "job.json").unlink()
    folder.rmdir()
    reason = executor.launch(run, [], logged=True)
    folder.mkdir(exist_ok=True)
    (folder / "config.py").write_text(run.loaded.text())
    if record is not None:
        JobRecord(executor=record.executor, job=record.job, failure=reason).write(folder)
    return reason


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: list[Planned]) -> PretendedSlurm:
    monkeypatch.setattr(SlurmQueue, "longest_wait", 0.01)
    monkeypatch.setattr(job_queues, "SECONDS_UNTIL_VISIBLE", 0.0)
    return PretendedSlurm(tmp_path / "slurm", monkeypatch)


def at_each_look(monkeypatch: pytest.MonkeyPatch, looks: list[Callable[[], Any]]) -> None:
    """Call functions in turn instead of pauses; without another one, the sweep is interrupted."""

    def pause(seconds: float) -> None:
        if not looks:
            raise KeyboardInterrupt
        looks.pop(0)()

    # submitit pauses, too, by the module `time`.
    clock = SimpleNamespace(sleep=pause, monotonic=time.monotonic)
    monkeypatch.setattr(sweep_jobs, "time", clock)


def planned(monkeypatch: pytest.MonkeyPatch) -> list[Planned]:
    """List that will hold the runs that are submitted."""
    submitted: list[Planned] = []
    submit = SlurmQueue.submit

    def record(self: SlurmQueue, runs: list[Planned], options: list[str]) -> list[str]:
        submitted.extend(runs)
        return submit(self, runs, options)

    monkeypatch.setattr(SlurmQueue, "submit", record)
    return submitted


def test_a_sweep_on_slurm_is_interrupted_and_continued_without_second_jobs(
    slurm: PretendedSlurm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    submitted = planned(monkeypatch)
    running = {f"7_{number}": "PENDING" for number in range(4)}
    slurm.set_states(running)

    def first_is_over() -> None:
        work(submitted[0])
        slurm.set_states({**running, "7_0": "COMPLETED", "7_1": "RUNNING"})

    at_each_look(monkeypatch, [first_is_over])
    with pytest.raises(KeyboardInterrupt):
        sweep(["rows.py"], work_dir="w", engine=SLURM)
    output = capsys.readouterr().out
    assert "[1/4] first, seed 0: 60.00%, job 7_0 of slurm, after 0:00:00" in output
    assert "Jobs that stay on Slurm: 3." in output
    assert "scancel 7\n" in output
    assert "#SBATCH --array=0-3%2" in slurm.script

    states = [(s.row, s.seed, s.state, s.job) for s in sweep_status(["rows.py"], work_dir="w")]
    assert states == [
        ("first", 0, "finished", "7_0"),
        ("first", 1, "running", "7_1"),
        ("bad", None, "queued", "7_2"),
        ("last", None, "queued", "7_3"),
    ]

    def all_are_over() -> None:
        work(submitted[1])
        work(submitted[2])
        slurm.set_states(dict.fromkeys(running, "COMPLETED"))

    at_each_look(monkeypatch, [all_are_over])
    assert not sweep(["rows.py"], work_dir="w", engine=SLURM, out="table.md")
    output = capsys.readouterr().out
    assert "first, seed 1: job 7_1 of slurm is queued or running" in output
    assert "bad: failed: too bad" in output
    assert "last: failed: job 7_3 ended without a result, COMPLETED" in output
    assert slurm.submissions == 1
    left = Path("table.md").read_text().partition("## Not in the table")[2]
    assert "- bad: too bad" in left
    print_status(sweep_status(["rows.py"], work_dir="w"))
    output = capsys.readouterr().out
    assert "failed: too bad" in output
    assert output.endswith("2 finished, 2 failed\n")

    # A failed run and one whose job has vanished are submitted again, and no others.
    slurm.set_states({"8_0": "PENDING", "8_1": "PENDING"})
    at_each_look(monkeypatch, [])
    with pytest.raises(KeyboardInterrupt):
        sweep(["rows.py"], work_dir="w", engine=SLURM)
    assert [run.title for run in submitted[4:]] == ["bad", "last"]
    assert "#SBATCH --array=0-1%2" in slurm.script


def test_runs_that_are_jobs_of_slurm_are_not_started_in_another_way(
    slurm: PretendedSlurm, monkeypatch: pytest.MonkeyPatch, runs: list[Planned]
) -> None:
    slurm.set_states({f"7_{number}": "RUNNING" for number in range(4)})
    at_each_look(monkeypatch, [])
    with pytest.raises(KeyboardInterrupt):
        sweep(["rows.py"], work_dir="w", engine=SLURM)
    for engine in (Engine(), Engine(jobs=2)):
        with pytest.raises(UserError, match=r"4 runs are jobs of Slurm.*scancel 7_0 7_1"):
            sweep(["rows.py"], work_dir="w", engine=engine)
    assert not runs


def test_jobs_are_kept_while_slurm_does_not_answer(
    slurm: PretendedSlurm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slurm.set_states({f"7_{number}": "RUNNING" for number in range(4)})
    at_each_look(monkeypatch, [lambda: slurm.mark("down"), lambda: None, lambda: None])
    with pytest.raises(KeyboardInterrupt):
        sweep(["rows.py"], work_dir="w", engine=SLURM)
    output = capsys.readouterr().out
    assert "squeue failed: no answer" in output
    assert "[1/4]" not in output
    # What is queued is unknown, so nothing is submitted.
    with pytest.raises(UserError, match="squeue failed: no answer"):
        sweep(["rows.py"], work_dir="w", engine=SLURM)
    assert slurm.submissions == 1
    states = {s.state for s in sweep_status(["rows.py"], work_dir="w")}
    assert states == {"unknown"}


def test_a_rejected_submission_gives_the_message_of_sbatch(slurm: PretendedSlurm) -> None:
    slurm.mark("refuse")
    with pytest.raises(UserError, match="Slurm rejects the jobs: no account"):
        sweep(["rows.py"], work_dir="w", engine=SLURM)
    assert {s.state for s in sweep_status(["rows.py"], work_dir="w")} == {"not submitted"}


def test_status_starts_and_writes_nothing(runs: list[Planned]) -> None:
    statuses = sweep_status(["rows.py"], work_dir="w", overrides=["matcher.type=OTMA"])
    assert {s.state for s in statuses} == {"cannot be run"}
    assert {s.state for s in sweep_status(["rows.py"], work_dir="w")} == {"not submitted"}
    assert not Path("w").exists()
    assert not runs


def test_local_jobs_with_submitits_debug_executor(
    runs: list[Planned], monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[str, dict[str, str]]] = []

    def compute(command: list[str], folder: Path, environment: dict[str, str]) -> str:
        called.append((folder.name, environment))
        return "too bad"

    start = LocalQueue.__init__

    def debugged(self: LocalQueue, *args: Any) -> None:
        start(self, *args)
        self._executor = submitit.DebugExecutor(self._executor.folder)

    monkeypatch.setattr(LocalQueue, "__init__", debugged)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(job_queues, "cores", lambda: 8)
    monkeypatch.setattr(job_queues, "visible_gpus", lambda: ["2", "3"])
    # The job of the debug executor runs in this process, which must not end.
    monkeypatch.setattr(run_job.sys, "exit", lambda status: None)
    monkeypatch.setattr(run_job, "run_and_wait", compute)
    assert not sweep(["rows.py"], work_dir="w", engine=Engine(jobs=4))
    assert [name for name, _ in called] == ["seed_0", "seed_1", "bad", "last"]
    assert {environment["OMP_NUM_THREADS"] for _, environment in called} == {"2"}
    assert {environment["CUDA_VISIBLE_DEVICES"] for _, environment in called} == {"2", "3"}
    record = read_record(Path("w/last"))
    assert record is not None
    assert record.executor == "local"
    assert record.failure == "too bad"


def test_a_job_that_its_record_does_not_name_computes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compute(*args: object) -> str:
        raise AssertionError("a run was started")

    monkeypatch.setattr(run_job, "run_and_wait", compute)
    monkeypatch.setattr(run_job, "PATIENCE", 0.0)
    monkeypatch.setenv("SUBMITIT_EXECUTOR", "slurm")
    monkeypatch.setenv("SLURM_JOB_ID", "5")
    job = RunJob(config=BASE, sets=(), name="one", folder=str(tmp_path))
    with pytest.raises(SystemExit):
        job()
    JobRecord(executor="slurm", job="6").write(tmp_path)
    with pytest.raises(SystemExit):
        job()
    again = job.checkpoint()
    assert again.function == job


def test_missing_programs_are_named(
    runs: list[Planned], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="sbatch is not found"):
        sweep(["rows.py"], engine=SLURM)
    monkeypatch.setitem(sys.modules, "submitit", None)
    for engine in (SLURM, Engine(jobs=2)):
        with pytest.raises(UserError, match=r'pip install "fsarbench\[cluster\]"'):
            sweep(["rows.py"], engine=engine)
    assert not runs
