"""Devices of the ranks, launchers, and the functions without several processes."""

import mmengine.dist
import pytest
import torch

from fsarbench.errors import UserError
from fsarbench.experiments.run import join, run
from fsarbench.runtime import distributed

NAMES = ("SLURM_PROCID", "LOCAL_RANK", "WORLD_SIZE")


@pytest.fixture(autouse=True)
def _one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def _gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


@pytest.mark.usefixtures("_gpus")
def test_each_process_of_a_machine_has_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    assert distributed.local_device(None) is None
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert distributed.local_device(None) == distributed.local_device("cuda") == "cuda:1"
    # An explicit number is not changed.
    assert distributed.local_device("cuda:0") == "cuda:0"
    assert distributed.local_device("cpu") == "cpu"


def test_without_gpus_all_processes_use_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert distributed.local_device(None) is None


@pytest.mark.usefixtures("_gpus")
def test_slurm_is_initialised_by_mmengine(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(
        mmengine.dist, "init_dist", lambda *args, **kwargs: calls.append((args, kwargs))
    )
    with pytest.raises(UserError, match="srun"):
        distributed.start_slurm()
    monkeypatch.setenv("SLURM_PROCID", "0")
    distributed.start_slurm()
    assert calls == [(("slurm",), {"backend": "nccl"})]


def test_an_unknown_launcher_is_named() -> None:
    with pytest.raises(UserError, match="--launcher mpi: it can be slurm"):
        join(None, launcher="mpi")


def test_one_process_decides_and_does_all_the_work() -> None:
    assert not distributed.several()
    assert distributed.decide(lambda: "here") == "here"
    assert distributed.share([1, 2, 3]) == [1, 2, 3]
    assert distributed.gather({1: "one"}) == {1: "one"}


def test_several_seeds_in_one_job_are_rejected() -> None:
    with pytest.raises(UserError, match=r"several seeds.*--set seed=0"):
        run("frozen_synthact_1shot", ["seeds=[0, 1]"])
