"""Options that say where the runs of a sweep are computed."""

from typing import Any

import pytest

from fsarbench.errors import UserError
from fsarbench.experiments.engine import Engine


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, "inline"),
        ({"jobs": 2}, "local"),
        ({"executor": "local"}, "local"),
        ({"executor": "slurm", "time": "10"}, "slurm"),
    ],
)
def test_kind_of_executor(given: dict[str, Any], kind: str) -> None:
    assert Engine(**given).kind == kind


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"executor": "slrum"}, "Did you mean 'slurm'"),
        ({"jobs": 0}, "-j 0: expected at least 1"),
        ({"executor": "inline", "jobs": 2}, "with --executor local or slurm"),
        ({"jobs": 2, "partition": "gpu"}, "--partition: only jobs of Slurm"),
        ({"slurm": ["account=a"]}, "add --executor slurm"),
        ({"executor": "slurm"}, "--time is missing"),
        ({"executor": "slurm", "time": "1:30"}, "in minutes or as HH:MM:SS"),
        ({"executor": "slurm", "time": "0"}, "need a time limit"),
        ({"executor": "slurm", "time": "9", "gpus": 2}, "one process, which uses one GPU"),
        ({"executor": "slurm", "time": "9", "cpus": 0}, "--cpus 0"),
        ({"executor": "slurm", "time": "9", "slurm": ["array=0-3"]}, "-j N limits"),
        ({"executor": "slurm", "time": "9", "slurm": ["account="]}, "expected an option of sbatch"),
        ({"executor": "slurm", "time": "9", "slurm": ["a b=c"]}, "expected an option of sbatch"),
        ({"executor": "slurm", "time": "9", "slurm": ["a=b\nc"]}, "expected an option of sbatch"),
    ],
)
def test_an_invalid_option_is_rejected(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Engine(**given)


def test_options_of_sbatch() -> None:
    engine = Engine(
        executor="slurm",
        jobs=4,
        partition="gpu",
        time="1-02:00:30",
        gpus=1,
        cpus=8,
        mem="16G",
        slurm=["account=vision", "--mail-type=END", "requeue"],
    )
    assert engine.sbatch_options() == {
        "time": 26 * 60 + 1,
        "partition": "gpu",
        "mem": "16G",
        "array_parallelism": 4,
        "gpus_per_node": 1,
        "cpus_per_task": 8,
        "srun_args": ["--cpus-per-task=8"],
        "additional_parameters": {"account": "vision", "mail-type": "END", "requeue": True},
    }
