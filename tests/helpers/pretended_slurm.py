"""Commands named as those of Slurm, which note what they are given and compute nothing."""

import os
from pathlib import Path

import pytest

COMMANDS = {
    "sbatch": 'cp "$1" {folder}/submitted.sh\n'
    '[ -f {folder}/refuse ] && echo "no account" >&2 && exit 1\n'
    "n=$(cat {folder}/number 2>/dev/null || echo 6); n=$((n + 1)); echo $n > {folder}/number\n"
    'echo "Submitted batch job $n"',
    "squeue": "[ -f {folder}/down ] && echo 'no answer' >&2 && exit 1\ncat {folder}/states",
    "srun": "exit 1",
}


class PretendedSlurm:
    """The commands, in a folder that is first in `PATH`."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        folder.mkdir()
        for name, text in COMMANDS.items():
            (folder / name).write_text(f"#!/bin/sh\n{text.format(folder=folder)}\n")
            (folder / name).chmod(0o755)
        patch.setenv("PATH", str(folder), prepend=os.pathsep)
        self.set_states({})

    def set_states(self, states: dict[str, str]) -> None:
        """States that `squeue` prints, by id of the job."""
        text = "".join(f"{job}|{state}\n" for job, state in states.items())
        (self.folder / "states").write_text(text)

    def mark(self, name: str, present: bool = True) -> None:
        """`refuse`: sbatch fails; `down`: squeue fails."""
        (self.folder / name).touch() if present else (self.folder / name).unlink()

    @property
    def submissions(self) -> int:
        """Number of submitted arrays."""
        number = self.folder / "number"
        return int(number.read_text()) - 6 if number.exists() else 0

    @property
    def script(self) -> str:
        """The script that was submitted last."""
        return (self.folder / "submitted.sh").read_text()
