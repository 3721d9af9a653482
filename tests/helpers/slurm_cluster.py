"""A cluster of one node with two cores: munge, slurmctld and slurmd, started for a test."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "sinfo", "scancel")
CONF = """ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={controller}
SlurmdPort={node}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
KillWait=5
SchedulerParameters=sched_interval=1,bf_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=500 State=UNKNOWN
PartitionName=short Nodes={host} Default=YES MaxTime=60 State=UP
"""


class NoClusterError(Exception):
    """A cluster cannot be started on this machine."""


@contextmanager
def one_node_cluster(folder: Path) -> Iterator[Path]:
    """Start the daemons; yield the `slurm.conf` of the cluster.

    Raises:
        NoClusterError: A program is missing, or the node does not become idle.
    """
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        raise NoClusterError(f"not installed: {', '.join(missing)}")
    if os.getuid() != 0:
        raise NoClusterError("slurmd has to be started by root")
    host = socket.gethostname().partition(".")[0]
    for name in ("munge", "state", "spool"):
        (folder / name).mkdir()
    (folder / "munge").chmod(0o711)
    key, conf = folder / "munge" / "key", folder / "slurm.conf"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    ports = dict(zip(("controller", "node"), free_ports(2), strict=True))
    conf.write_text(CONF.format(host=host, folder=folder, **ports))
    files = {"key": key, "pid": "pid", "log": "log", "seed": "seed"}
    munge = [f"--{name}-file={folder / 'munge' / file}" for name, file in files.items()]
    munge.append(f"--socket={folder / 'munge' / 'socket'}")
    commands = (
        ["munged", "--foreground", "--force", *munge],
        ["slurmctld", "-D"],
        ["slurmd", "-D"],
    )
    environment = {**os.environ, "SLURM_CONF": str(conf)}
    with ExitStack() as stack:
        for command in commands:
            stack.enter_context(daemon(command, folder, environment))
        wait_until_idle(folder, environment)
        try:
            yield conf
        finally:  # a test that failed leaves jobs, which would outlive the daemons
            subprocess.run(["scancel", "--me"], env=environment, check=False)
            with suppress(NoClusterError):
                wait_until_idle(folder, environment)


@contextmanager
def daemon(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Run a daemon in the foreground, and end it afterwards."""
    with (folder / f"{command[0]}.out").open("w") as out:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out)
        try:
            time.sleep(0.5)
            yield
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_idle(folder: Path, environment: dict[str, str]) -> None:
    """Wait until the node can take jobs.

    Raises:
        NoClusterError: It cannot within 20 seconds.
    """
    command = ["sinfo", "--noheader", "--format=%T"]
    said = ""
    for _ in range(40):
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        said = f"{done.stdout}{done.stderr}".strip()
        if said == "idle":
            return
        time.sleep(0.5)
    logs = [path.read_text(errors="replace")[-300:] for path in sorted(folder.glob("*.out"))]
    raise NoClusterError(f"the node is not idle: {said}; {' '.join(logs)}")


def free_ports(count: int) -> list[int]:
    """Ports of this machine that are not in use."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
