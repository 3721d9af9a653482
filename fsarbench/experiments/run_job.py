"""One run as a job of submitit, on a cluster or in a process of this machine.

The submitted object holds plain text only, so that a job does not depend on the process that
submitted it. This module must not import torch (see `run_process`).
"""

import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fsarbench.experiments.run_process import run_and_wait, run_command
from fsarbench.runtime.atomic_files import write_text

RECORD = "job.json"
# Seconds within which a started job must find its record, which is written after the submission.
PATIENCE = 60.0


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """The last job of a run, stored as `job.json` in the folder of the run.

    Attributes:
        executor: Name of the executor, `slurm` or `local`.
        job: Id of the job: of Slurm (`12_0` for the first of an array), or of the process. Empty if
            it was cancelled.
        failure: Reason for a failure that the job itself has seen; empty before and otherwise.
    """

    executor: str
    job: str
    failure: str = ""

    def write(self, folder: Path) -> None:
        """Store the record in the folder of a run."""
        write_text(folder / RECORD, json.dumps(asdict(self), indent=1) + "\n")


def read_record(folder: Path) -> JobRecord | None:
    """Record of the last job of a run; None if the run was never submitted."""
    try:
        return JobRecord(**json.loads((folder / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


@dataclass(frozen=True, kw_only=True)
class RunJob:
    """A run that submitit calls in a process of its own.

    Attributes:
        config: Path or name of the config.
        sets: Overrides of the config, including the seed.
        name: Name of the run in tables.
        folder: Folder of the run, absolute.
        options: Further options of `fsarbench run`.
        environment: Further environment variables of the run.
    """

    config: str
    sets: tuple[str, ...]
    name: str
    folder: str
    options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self) -> None:
        """Start or resume the run, wait for its end, and record a failure.

        Only the job that the record of the run names does so: a job whose submission was
        interrupted has no record, and the run may have been submitted again.
        """
        import submitit

        folder, job = Path(self.folder), submitit.JobEnvironment().job_id
        record = wait_for_record(folder, job)
        if record is None:
            print(f"{folder / RECORD} does not name job {job}: nothing is run.", file=sys.stderr)
            sys.exit(1)
        command = run_command(self.config, self.sets, self.name, folder, self.options)
        failure = run_and_wait(command, folder, self.environment)
        if failure:
            JobRecord(executor=record.executor, job=job, failure=failure).write(folder)
            sys.exit(1)  # so that Slurm also lists the job as failed

    def checkpoint(self) -> Any:
        """Object that submitit submits if the time of the job ends or it is preempted.

        It is the same, because the run resumes from its last state.
        """
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def wait_for_record(folder: Path, job: str) -> JobRecord | None:
    """Record that names a job; None if another job has it, or none within a minute."""
    deadline = time.monotonic() + PATIENCE
    while (record := read_record(folder)) is None and time.monotonic() < deadline:
        time.sleep(0.2)
    return record if record is not None and record.job == job else None
