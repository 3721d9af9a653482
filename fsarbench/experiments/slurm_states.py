"""States of jobs, asked of Slurm.

`squeue` is asked, since every cluster has it. submitit asks `sacct`, which works only on clusters
that store accounts, and knows a new job only after seconds.
"""

import shutil
import subprocess

from fsarbench.errors import UserError

# In these states a job will not run any more. PREEMPTED is not among them: the job may be queued
# again, and otherwise squeue forgets it within minutes.
OVER = {
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "LAUNCH_FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "RECONFIG_FAIL",
    "REVOKED",
    "TIMEOUT",
}
BEFORE_START = {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT"}


def require_slurm() -> None:
    """Check that this machine can submit jobs to Slurm.

    Raises:
        UserError: The commands of Slurm are missing.
    """
    missing = [name for name in ("sbatch", "squeue", "srun") if shutil.which(name) is None]
    if missing:
        raise UserError(
            f"--executor slurm: {missing[0]} is not found. Run the command on a login node of a "
            "cluster with Slurm, or use --executor local -j N on this machine."
        )


def slurm_states() -> dict[str, str]:
    """State of each of the user's jobs in the queue by id, with those that ended minutes ago.

    Raises:
        UserError: Slurm cannot be asked.
    """
    command = ["squeue", "--me", "--array", "--noheader", "--states=all", "--format=%i|%T"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except subprocess.CalledProcessError as error:
        raise UserError(f"squeue failed: {error.stderr.strip()}. Run the command again.") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"squeue cannot be run: {error}.") from None
    pairs = [line.strip().partition("|") for line in done.stdout.splitlines() if line.strip()]
    return {job: state for job, _, state in pairs}


def is_active(state: str | None) -> bool:
    """Whether a job with this state is queued or running; None for a job that squeue lacks."""
    return state is not None and state not in OVER
