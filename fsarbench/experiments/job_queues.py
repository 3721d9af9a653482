"""Queues that compute runs as jobs of submitit: Slurm, and processes of this machine."""

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch

from fsarbench.errors import UserError
from fsarbench.experiments.engine import Engine
from fsarbench.experiments.plan import Planned
from fsarbench.experiments.run_job import JobRecord, RunJob, read_record
from fsarbench.experiments.slurm_states import is_active, require_slurm, slurm_states
from fsarbench.runtime.folder_lock import is_locked

# Logs and submitted objects of submitit, in the folder of the sweep.
JOBS = ".jobs"
THREADS = "OMP_NUM_THREADS"
GPUS = "CUDA_VISIBLE_DEVICES"
NO_LIMIT = 10 * 365 * 24 * 60  # minutes; submitit requires a limit
SECONDS_UNTIL_VISIBLE = 10.0
STOP_PATIENCE = 3.0  # seconds between two signals to a process


def import_submitit() -> Any:
    """Return the module `submitit`.

    Raises:
        UserError: It is not installed.
    """
    try:
        import submitit
    except ImportError:
        raise UserError(
            "submitit is not installed; it starts the jobs of a sweep. Install it by: "
            'pip install "fsarbench[cluster]"'
        ) from None
    return submitit


class JobQueue(ABC):
    """Jobs of a sweep.

    Attributes:
        executor: Name of the executor in records.
        capacity: Largest number of jobs that are submitted and not over.
        longest_wait: Longest time in seconds between two looks at the jobs.
    """

    executor: ClassVar[str]
    capacity: float
    longest_wait: float

    @abstractmethod
    def submit(self, runs: Sequence[Planned], options: Sequence[str]) -> list[str]:
        """Submit a job for each run; return their ids."""

    @abstractmethod
    def refresh(self) -> None:
        """Look at the state of all jobs."""

    @abstractmethod
    def holds(self, run: Planned) -> bool:
        """Whether a job that was submitted for a run now or earlier is queued or running."""

    @abstractmethod
    def state(self, job: str) -> str:
        """State of a job in the words of the executor; empty if unknown."""

    def grace(self, run: Planned) -> float:
        """Seconds after the end of a job in which its result may still become visible."""
        return 0.0

    @abstractmethod
    def leave(self, runs: Collection[Planned]) -> None:
        """Stop or leave the jobs that are not over, because this process is interrupted."""


class SlurmQueue(JobQueue):
    """Jobs of Slurm: one array per submission.

    Args:
        folder: Folder of the sweep, on a file system that all nodes share.
        engine: Options of the jobs.

    Raises:
        UserError: submitit or Slurm is missing, or an option is not accepted.
    """

    executor = "slurm"
    capacity = float("inf")
    longest_wait = 15.0

    def __init__(self, folder: Path, engine: Engine) -> None:
        submitit = import_submitit()
        require_slurm()
        self._error = submitit.core.utils.FailedJobError
        self._executor = submitit.SlurmExecutor(folder / JOBS)
        name = f"fsarbench-{folder.name}"
        self._executor.update_parameters(job_name=name, **engine.sbatch_options())
        self._states: dict[str, str] = {}
        self._new: set[str] = set()  # submitted since squeue was last asked
        self._threads = {} if engine.cpus is None else {THREADS: str(engine.cpus)}

    def submit(self, runs: Sequence[Planned], options: Sequence[str]) -> list[str]:
        """Submit an array with a job for each run.

        Raises:
            UserError: Slurm rejects the jobs.
        """
        environment = {} if THREADS in os.environ else self._threads
        try:
            jobs = self._executor.submit_array([job_of(run, options, environment) for run in runs])
        except self._error as error:
            raise UserError(f"Slurm rejects the jobs: {error}") from None
        ids = [str(job.job_id) for job in jobs]
        self._new.update(ids)
        return ids

    def refresh(self) -> None:
        """Ask squeue for the states of all jobs."""
        self._states = slurm_states()
        self._new.clear()

    def holds(self, run: Planned) -> bool:
        """Whether the recorded job of a run is in the queue."""
        record = read_record(run.folder)
        if record is None:
            return False
        return record.job in self._new or is_active(self._states.get(record.job))

    def state(self, job: str) -> str:
        """State of a job as in squeue."""
        return self._states.get(job, "")

    def grace(self, run: Planned) -> float:
        """Network file systems show the files of another node seconds later."""
        record = read_record(run.folder)
        state = "" if record is None else self.state(record.job)
        return SECONDS_UNTIL_VISIBLE if state in ("", "COMPLETED") else 0.0

    def leave(self, runs: Collection[Planned]) -> None:
        """Say that the jobs continue, and how to see and cancel them."""
        records = [record for run in runs if (record := read_record(run.folder)) is not None]
        ids = dict.fromkeys(record.job.partition("_")[0] for record in records)
        if ids:
            print(
                f"Jobs that stay on Slurm: {len(records)}. To see them: the same command with "
                "--status, or squeue --me. To wait for them: the same command. To cancel them: "
                f"scancel {' '.join(ids)}",
                flush=True,
            )


class LocalQueue(JobQueue):
    """Several processes of this machine, each with a share of its cores and with one GPU.

    Args:
        folder: Folder of the sweep.
        engine: Options; `jobs` is the number of processes.
        device: Device of each run; None or `cuda` gives each process a GPU of its own.

    Raises:
        UserError: submitit is missing.
    """

    executor = "local"
    longest_wait = 0.5

    def __init__(self, folder: Path, engine: Engine, device: str | None) -> None:
        submitit = import_submitit()
        self._executor = submitit.LocalExecutor(folder / JOBS)
        self._executor.update_parameters(timeout_min=NO_LIMIT)
        self._gpus = [] if device == "cpu" else visible_gpus()
        self._one_gpu_each = device in (None, "cuda")
        self.processes = engine.jobs or max(1, len(self._gpus))
        self.capacity = self.processes
        self._jobs: dict[Path, Any] = {}
        self._slots: dict[Path, int] = {}

    def submit(self, runs: Sequence[Planned], options: Sequence[str]) -> list[str]:
        """Start a process for each run."""
        taken = {slot for folder, slot in self._slots.items() if self._runs(folder)}
        free = (slot for slot in range(len(taken) + len(runs)) if slot not in taken)
        for run, slot in zip(runs, free, strict=False):
            job = job_of(run, options, self.environment(slot))
            (self._jobs[run.folder],) = self._executor.submit_array([job])
            self._slots[run.folder] = slot
        return [str(self._jobs[run.folder].job_id) for run in runs]

    def environment(self, slot: int) -> dict[str, str]:
        """Environment variables of the process number `slot`: its threads and its GPU."""
        found = {}
        if THREADS not in os.environ:
            found[THREADS] = str(max(1, cores() // self.processes))
        if self._gpus:
            own = [self._gpus[slot % len(self._gpus)]] if self._one_gpu_each else self._gpus
            found[GPUS] = ",".join(own)
        return found

    def refresh(self) -> None:
        """Do nothing: each process is asked on its own."""

    def holds(self, run: Planned) -> bool:
        """Whether a process of this or of a killed sweep computes a run."""
        if run.folder in self._jobs:
            return self._runs(run.folder)
        return is_locked(run.folder)

    def state(self, job: str) -> str:
        """Nothing more is known of a process that is over."""
        return ""

    def leave(self, runs: Collection[Planned]) -> None:
        """End the processes."""
        own = [run for run in runs if run.folder in self._jobs]
        for run in own:
            # A process that has not started its run will not start it.
            JobRecord(executor=self.executor, job="", failure="interrupted").write(run.folder)
        for end in ("terminate", "interrupt"):
            for run in own:
                stop(self._jobs[run.folder], end)
            deadline = time.monotonic() + STOP_PATIENCE
            while any(self._runs(run.folder) for run in own) and time.monotonic() < deadline:
                time.sleep(0.05)

    def _runs(self, folder: Path) -> bool:
        return not self._jobs[folder].done()


def stop(job: Any, end: str) -> None:
    """Send a signal to the process of a local job, which passes it on to the run.

    Args:
        job: Job of submitit.
        end: `terminate` for SIGTERM, or `interrupt` for SIGINT; the latter is followed by SIGKILL
            but is ignored in processes that a script started in the background.
    """
    process = getattr(job, "_process", None)
    if end == "interrupt" or process is None:
        job.cancel()
    elif process.poll() is None:
        process.terminate()


def job_of(run: Planned, options: Sequence[str], environment: dict[str, str]) -> RunJob:
    """Job that computes a run."""
    return RunJob(
        config=run.config,
        sets=tuple(run.sets),
        name=run.name,
        folder=str(run.folder.absolute()),
        options=tuple(options),
        environment=environment,
    )


def cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def visible_gpus() -> list[str]:
    """GPUs that this process may use, as in `CUDA_VISIBLE_DEVICES`."""
    listed = os.environ.get(GPUS)
    if listed is not None:
        return [name.strip() for name in listed.split(",") if name.strip()]
    return [str(number) for number in range(torch.cuda.device_count())]
