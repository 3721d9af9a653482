"""Runs of a sweep as jobs of a queue; a failed job does not stop the others."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from fsarbench.errors import UserError
from fsarbench.experiments.executor import Done, write_config
from fsarbench.experiments.job_queues import JOBS, JobQueue
from fsarbench.experiments.plan import Planned
from fsarbench.experiments.run_job import RECORD, JobRecord, read_record
from fsarbench.experiments.run_process import LOG, ended_by_sigterm, last_line
from fsarbench.experiments.slurm_states import is_active, slurm_states
from fsarbench.results.run_result import read_result


@dataclass
class Sweeping:
    """Runs that are submitted and not over.

    Attributes:
        started: Time of submission by folder of the run.
        over: Time at which the job of a run was first seen to be over.
        outcomes: Reason for the failure of each run that is over; empty if it succeeded.
    """

    started: dict[Path, float] = field(default_factory=dict)
    over: dict[Path, float] = field(default_factory=dict)
    outcomes: dict[Path, str] = field(default_factory=dict)


def run_jobs(
    runs: Sequence[Planned], queue: JobQueue, options: Sequence[str], folder: Path
) -> Done:
    """Submit all runs that are neither finished nor queued, and wait for all.

    Args:
        runs: Runs in the order of the table.
        queue: Queue of the jobs.
        options: Further options of `fsarbench run`.
        folder: Folder of the sweep.

    Raises:
        UserError: The queue cannot be asked, or rejects the jobs.
    """
    queue.refresh()
    sweeping, waiting, running = Sweeping(), [], []
    for run in runs:
        if run.finished:
            report(run, len(runs), sweeping, "")
        elif queue.holds(run):
            print(f"{run.title}: {job_text(run)} is queued or running", flush=True)
            running.append(run)
        else:
            waiting.append(run)
    try:
        with ended_by_sigterm():
            wait_for_all(waiting, running, queue, options, sweeping, len(runs), folder)
    except BaseException:
        queue.leave(running)
        raise
    done = Done([run for run in runs if not sweeping.outcomes[run.folder]])
    failures = {run.title: sweeping.outcomes[run.folder] for run in runs}
    done.failed.update({title: reason for title, reason in failures.items() if reason})
    return done


def wait_for_all(
    waiting: list[Planned],
    running: list[Planned],
    queue: JobQueue,
    options: Sequence[str],
    sweeping: Sweeping,
    count: int,
    folder: Path,
) -> None:
    """Submit what waits as there is room, and report each run that is over.

    Args:
        waiting: Runs to submit; empty at the end.
        running: Runs that are submitted; empty at the end.
        queue: Queue of the jobs.
        options: Further options of `fsarbench run`.
        sweeping: What is known of the runs.
        count: Number of all runs.
        folder: Folder of the sweep.
    """
    start = time.monotonic()
    while waiting or running:
        room = min(queue.capacity - len(running), len(waiting))
        if room > 0:
            batch = waiting[: int(room)]
            running += batch
            del waiting[: int(room)]
            submit(batch, queue, options, sweeping)
        for run in [run for run in running if is_over(run, queue, sweeping)]:
            running.remove(run)
            reason = "" if run.finished else reason_of(run, queue, folder)
            report(run, count, sweeping, reason)
        if running:
            time.sleep(min(queue.longest_wait, 0.5 + (time.monotonic() - start) / 20))
            refresh(queue)


def submit(
    runs: Sequence[Planned], queue: JobQueue, options: Sequence[str], sweeping: Sweeping
) -> None:
    """Submit jobs and record their ids; a job starts its run only after it finds its id."""
    for run in runs:
        write_config(run)
        (run.folder / RECORD).unlink(missing_ok=True)
        (run.folder / LOG).unlink(missing_ok=True)
    for run, job in zip(runs, queue.submit(runs, options), strict=True):
        JobRecord(executor=queue.executor, job=job).write(run.folder)
        sweeping.started[run.folder] = time.monotonic()
        print(f"{run.title}: job {job} of {queue.executor}", flush=True)
    refresh(queue)


def refresh(queue: JobQueue) -> None:
    """Look at the jobs; if this fails, the last known states remain."""
    try:
        queue.refresh()
    except UserError as error:
        print(f"{error} The last known states are used.", flush=True)


def is_over(run: Planned, queue: JobQueue, sweeping: Sweeping) -> bool:
    """Whether a run has a result, or its job is over for so long that none will come."""
    if run.finished:
        return True
    if queue.holds(run):
        sweeping.over.pop(run.folder, None)
        return False
    first_seen = sweeping.over.setdefault(run.folder, time.monotonic())
    known = (record := read_record(run.folder)) is not None and bool(record.failure)
    return known or time.monotonic() - first_seen >= queue.grace(run)


def reason_of(run: Planned, queue: JobQueue, folder: Path) -> str:
    """Reason why a job is over without a result."""
    record = read_record(run.folder)
    if record is not None and record.failure:
        return record.failure
    if record is None:
        return "it ended without a result"
    state = queue.state(record.job)
    line = last_line(run.folder / LOG)
    log = folder / JOBS / f"{record.job}_0_log.err"
    return (
        f"job {record.job} ended without a result{f', {state}' if state else ''}"
        f"{f', after: {line}' if line else ''} (output: {run.folder / LOG if line else log})"
    )


def report(run: Planned, count: int, sweeping: Sweeping, reason: str) -> None:
    """Print how a run ended, and remember it."""
    sweeping.outcomes[run.folder] = reason
    started = sweeping.started.get(run.folder)
    job = f"{job_text(run)}, " if read_record(run.folder) is not None else ""
    if reason:
        outcome = f"failed: {reason}"
    else:
        seconds = timedelta(seconds=round(time.monotonic() - (started or 0.0)))
        accuracy = read_result(run.folder)["accuracy"]["mean"]
        when = "finished earlier" if started is None else f"{job}after {seconds}"
        outcome = f"{accuracy:.2%}, {when}"
    print(f"[{len(sweeping.outcomes)}/{count}] {run.title}: {outcome}", flush=True)


def job_text(run: Planned) -> str:
    """Job of a run, for a message."""
    record = read_record(run.folder)
    return "another process" if record is None else f"job {record.job} of {record.executor}"


def refuse_queued(runs: Sequence[Planned]) -> None:
    """Check that no run is a job of Slurm, before it is started in another way.

    Raises:
        UserError: A job is queued or running.
    """
    records = [read_record(run.folder) for run in runs if not run.finished]
    jobs = [record.job for record in records if record is not None and record.executor == "slurm"]
    if not jobs:
        return
    try:
        states = slurm_states()
    except UserError:  # on a machine without Slurm; the lock of the run's folder remains
        return
    active = [job for job in jobs if is_active(states.get(job))]
    if active:
        raise UserError(
            f"{len(active)} runs are jobs of Slurm that are queued or running, such as "
            f"{active[0]}. Wait for them with --executor slurm, or cancel them: "
            f"scancel {' '.join(active)}"
        )
