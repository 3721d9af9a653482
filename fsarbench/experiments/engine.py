"""Options of a sweep that say where its runs are computed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsarbench.errors import UserError, nearest

EXECUTORS = ("inline", "local", "slurm")
_TIME = re.compile(r"(?:(?P<days>\d+)-)?(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d)")
# Options of sbatch that the sweep sets, and what to give instead.
_SET_HERE = {
    "array": "-j N limits the number of simultaneous jobs",
    "output": "each run writes log.txt in its folder",
    "error": "each run writes log.txt in its folder",
    "open-mode": "each run writes log.txt in its folder",
    "signal": "jobs are put back into the queue when their time ends",
    "partition": "give --partition",
    "time": "give --time",
    "mem": "give --mem",
    "cpus-per-task": "give --cpus",
    "gpus": "give --gpus",
    "gpus-per-node": "give --gpus",
    "ntasks": "each run is one process",
    "nodes": "each run is one process",
}


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Where the runs of a sweep are computed, with the options of the command.

    Attributes:
        executor: `inline` (one after another), `local` (several processes) or `slurm`; None for
            `local` if `jobs` is given and `inline` otherwise.
        jobs: Number of runs at the same time; None for one per GPU, or one without GPUs, and on
            Slurm for no limit.
        partition: Partition of Slurm; None for the default of the cluster.
        time: Time limit of a job, in minutes or as `[DAYS-]HH:MM:SS`.
        gpus: GPUs of a job, 0 or 1.
        cpus: CPUs of a job.
        mem: Memory of a job, such as `16G`.
        slurm: Further options of sbatch, `key=value`, or `key` for options without a value.

    Raises:
        UserError: An option is invalid, or does not belong to the executor.
    """

    executor: str | None = None
    jobs: int | None = None
    partition: str | None = None
    time: str | None = None
    gpus: int | None = None
    cpus: int | None = None
    mem: str | None = None
    slurm: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.kind not in EXECUTORS:
            raise UserError(f"--executor {self.kind}: unknown.{nearest(self.kind, EXECUTORS)}")
        if self.jobs is not None and (self.jobs < 1 or self.kind == "inline"):
            raise UserError(f"-j {self.jobs}: expected at least 1, with --executor local or slurm.")
        given = [name for name, value in self._cluster_options().items() if value not in (None, ())]
        if given and self.kind != "slurm":
            raise UserError(
                f"{', '.join(given)}: only jobs of Slurm have it; add --executor slurm."
            )
        if self.kind == "slurm":
            self.sbatch_options()

    @property
    def kind(self) -> str:
        """Name of the executor."""
        return self.executor or ("inline" if self.jobs is None else "local")

    def sbatch_options(self) -> dict[str, Any]:
        """Options of a job as arguments of submitit's Slurm executor.

        Raises:
            UserError: An option is invalid, or the time limit is missing.
        """
        if self.gpus not in (None, 0, 1):
            raise UserError(
                f"--gpus {self.gpus}: each run of a sweep is one process, which uses one GPU. "
                "Start a run on several GPUs by srun: see 'Several GPUs' in docs/scale.md."
            )
        if self.cpus is not None and self.cpus < 1:
            raise UserError(f"--cpus {self.cpus}: expected at least 1.")
        found: dict[str, Any] = {"time": minutes_of(self.time)}
        found |= {"partition": self.partition, "mem": self.mem, "array_parallelism": self.jobs}
        found["gpus_per_node"] = self.gpus or None
        if self.cpus is not None:
            # Since Slurm 22.05, srun does not inherit the number of CPUs from sbatch.
            found["cpus_per_task"] = self.cpus
            found["srun_args"] = [f"--cpus-per-task={self.cpus}"]
        found["additional_parameters"] = dict(_further(text) for text in self.slurm) or None
        return {key: value for key, value in found.items() if value is not None}

    def _cluster_options(self) -> dict[str, Any]:
        return {
            "--partition": self.partition,
            "--time": self.time,
            "--gpus": self.gpus,
            "--cpus": self.cpus,
            "--mem": self.mem,
            "--slurm": tuple(self.slurm),
        }


def minutes_of(text: str | None) -> int:
    """Minutes of a time limit, rounded up.

    Raises:
        UserError: The limit is missing, zero or has another form.

    Example:
        >>> minutes_of("90"), minutes_of("01:30:00"), minutes_of("2-00:00:30")
        (90, 90, 2881)
    """
    text = (text or "").strip()
    match = _TIME.fullmatch(text)
    found = int(text) if text.isdecimal() else 0
    if match:
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        found = (days * 24 + hours) * 60 + minutes + (seconds > 0)
    if found < 1:
        raise UserError(
            f"--time {text or 'is missing'}: jobs of Slurm need a time limit, in minutes or as "
            "HH:MM:SS, such as --time 02:00:00."
        )
    return found


def _further(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    key = key.strip().removeprefix("--").replace("_", "-")
    if not re.fullmatch(r"[a-z][a-z-]*", key) or "\n" in value or (sign and not value):
        raise UserError(
            f"--slurm '{text}': expected an option of sbatch, such as --slurm account=vision."
        )
    if key in _SET_HERE:
        raise UserError(f"--slurm '{text}': {_SET_HERE[key]}.")
    return key, value if sign else True
