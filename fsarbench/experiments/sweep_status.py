"""`fsarbench sweep --status`: the state of every run of a sweep, without starting any."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from fsarbench.errors import UserError
from fsarbench.experiments.plan import Planned
from fsarbench.experiments.run_job import JobRecord, read_record
from fsarbench.experiments.run_process import LOG, last_line
from fsarbench.experiments.slurm_states import BEFORE_START, is_active, slurm_states
from fsarbench.experiments.sweep import plan_sweep, sweep_folder
from fsarbench.experiments.sweep_file import read_sweep
from fsarbench.results.run_result import read_result
from fsarbench.runtime.atomic_files import is_alive
from fsarbench.runtime.folder_lock import is_locked
from fsarbench.runtime.progress import make_console


@dataclass(frozen=True, kw_only=True)
class RunStatus:
    """State of one run of a sweep.

    Attributes:
        row: Name of the row.
        seed: Training seed; None for that of the config.
        state: `finished`, `running`, `queued`, `failed`, `not submitted`, `cannot be run`, or
            `unknown` if Slurm does not answer.
        reason: Last line of the log of a failed run, or what is wrong with the row.
        job: Id of the last job; empty without one.
        accuracy: Mean accuracy of a finished run from 0 to 1.
        folder: Folder of the run; None for a row that cannot be run.
    """

    row: str
    seed: int | None = None
    state: str
    reason: str = ""
    job: str = ""
    accuracy: float | None = None
    folder: Path | None = None


def sweep_status(
    paths: Sequence[str],
    *,
    grid: Sequence[str] = (),
    overrides: Sequence[str] = (),
    name: str | None = None,
    work_dir: str | None = None,
) -> list[RunStatus]:
    """State of every run of a sweep. The arguments are those of `sweep`.

    Raises:
        UserError: A file is missing, or rows share a name.
    """
    sweeps = [read_sweep(path) for path in paths]
    rows = [row for one in sweeps for row in one.rows]
    folder = sweep_folder(work_dir, sweeps)
    plan = plan_sweep(rows, folder, grid=grid, overrides=overrides, name=name)
    records = {run.folder: read_record(run.folder) for run in plan.runs}
    states = _states([record for record in records.values() if record is not None])
    found = [status_of(run, records[run.folder], states) for run in plan.runs]
    return found + [
        RunStatus(row=row, state="cannot be run", reason=fault)
        for row, fault in plan.rejected.items()
    ]


def print_status(statuses: Sequence[RunStatus]) -> None:
    """Print the states as a table, and how many runs are in each."""
    table = Table("row", "seed", "state", "job", "accuracy", box=None, pad_edge=False)
    for status in statuses:
        state = f"{status.state}{': ' if status.reason else ''}{' '.join(status.reason.split())}"
        accuracy = "" if status.accuracy is None else f"{status.accuracy:.2%}"
        seed = "" if status.seed is None else str(status.seed)
        # Names may contain square brackets, which are no markup.
        table.add_row(*(Text(cell) for cell in (status.row, seed, state, status.job, accuracy)))
    make_console().print(table)
    counts: dict[str, int] = {}
    for status in statuses:
        counts[status.state] = counts.get(status.state, 0) + 1
    print(", ".join(f"{count} {state}" for state, count in counts.items()))


def status_of(run: Planned, record: JobRecord | None, states: dict[str, str] | None) -> RunStatus:
    """State of a run.

    Args:
        run: Run of the sweep.
        record: Record of its last job, if any.
        states: States of the jobs of Slurm; None if Slurm does not answer.
    """
    state, reason, accuracy = "", "", None
    if run.finished:
        state, accuracy = "finished", float(read_result(run.folder)["accuracy"]["mean"])
    else:
        state = _unfinished(run, record, states)
    if state == "failed":
        reason = _reason(run, record, states)
    return RunStatus(
        row=run.name,
        seed=run.seed,
        state=state,
        reason=reason,
        job="" if record is None else record.job,
        accuracy=accuracy,
        folder=run.folder,
    )


def _unfinished(run: Planned, record: JobRecord | None, states: dict[str, str] | None) -> str:
    if is_locked(run.folder):
        return "running"
    if record is None:
        return "failed" if (run.folder / LOG).is_file() else "not submitted"
    if record.failure:
        return "failed"
    if record.executor == "slurm":
        if states is None:
            return "unknown"
        state = states.get(record.job)
        if not is_active(state):
            return "failed"
        return "queued" if state in BEFORE_START else "running"
    return "running" if record.job.isdecimal() and is_alive(int(record.job)) else "failed"


def _reason(run: Planned, record: JobRecord | None, states: dict[str, str] | None) -> str:
    if record is not None and record.failure:
        return record.failure
    line = last_line(run.folder / LOG) or "no output"
    state = "" if record is None else (states or {}).get(record.job, "")
    return f"{state}, after: {line}" if state else line


def _states(records: Sequence[JobRecord]) -> dict[str, str] | None:
    if not any(record.executor == "slurm" for record in records):
        return {}
    try:
        return slurm_states()
    except UserError as error:
        print(error)
        return None
