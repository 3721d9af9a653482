"""Distributed training and testing with `torchrun` or Slurm.

Work is split into the same units that a single process computes in one call, so that the results
do not change. With one process, these functions do nothing.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import distributed

from fsarbench.errors import UserError

Part = TypeVar("Part")
Value = TypeVar("Value")


def several() -> bool:
    """Whether torch.distributed is initialised, so that this is one of several processes."""
    return distributed.is_available() and distributed.is_initialized()


def rank() -> int:
    """Rank of this process, from 0."""
    return distributed.get_rank() if several() else 0


def count() -> int:
    """Number of processes (world size)."""
    return distributed.get_world_size() if several() else 1


def is_main() -> bool:
    """Whether this is the main process, which writes files and prints."""
    return rank() == 0


def local_device(name: str | None) -> str | None:
    """Device name of this process; each process of a machine gets its own GPU."""
    if name in (None, "cuda") and torch.cuda.is_available() and "LOCAL_RANK" in os.environ:
        return f"cuda:{os.environ['LOCAL_RANK']}"
    return name


def start(device: torch.device) -> None:
    """Initialise torch.distributed if there are several processes; NCCL on GPUs, gloo on CPUs."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or several():
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")


def start_slurm() -> None:
    """Initialise torch.distributed with mmengine for processes started by `srun`.

    Raises:
        UserError: The process was not started by `srun`, or has no GPU.
    """
    if "SLURM_PROCID" not in os.environ or not torch.cuda.is_available():
        raise UserError(
            "--launcher slurm needs processes started by srun, each with a GPU: srun --ntasks=2 "
            "--gpus-per-task=1 fsarbench run CONFIG --launcher slurm. On CPUs, use torchrun."
        )
    from mmengine.dist import init_dist

    init_dist("slurm", backend="nccl")


def stop() -> None:
    """Shut down torch.distributed at the end of the work."""
    if several():
        distributed.destroy_process_group()


def share(parts: Sequence[Part]) -> list[Part]:
    """Units of work of this process: every n-th unit with n processes.

    Example:
        >>> share(["one", "two"])
        ['one', 'two']
    """
    return list(parts[rank() :: count()])


def part(total: int) -> int:
    """Approximate number of units of work of this process.

    Example:
        >>> part(10)
        10
    """
    return -(-total // count())


def gather(results: dict[Any, Value]) -> dict[Any, Value]:
    """Merge the results of all processes, whose keys are distinct; tensors are moved to the CPU.

    Example:
        >>> gather({"one": 1})
        {'one': 1}
    """
    if not several():
        return results
    by_rank: list[dict[Any, Value]] = [{}] * count()
    distributed.all_gather_object(by_rank, {key: _on_cpu(v) for key, v in results.items()})
    return {key: value for rank_results in by_rank for key, value in rank_results.items()}


def decide(choice: Callable[[], Value]) -> Value:
    """Call a function in the main process only, and return its result in all processes.

    Raises:
        UserError: The function raised a `UserError`; it is raised in all processes.
    """
    if not several():
        return choice()
    result_and_error: list[Any] = [None, None]
    if is_main():
        try:
            result_and_error = [choice(), None]
        except UserError as error:
            result_and_error = [None, str(error)]
    distributed.broadcast_object_list(result_and_error)
    if result_and_error[1] is not None:
        raise UserError(result_and_error[1])
    result: Value = result_and_error[0]
    return result


@contextmanager
def main_first() -> Iterator[None]:
    """Run a block in the main process first, so that the others find the files that it wrote."""
    if several() and not is_main():
        distributed.barrier()
    yield
    if several() and is_main():
        distributed.barrier()


def wait() -> None:
    """Wait until all processes have called this function."""
    if several():
        distributed.barrier()


def _on_cpu(value: Any) -> Any:
    return value.cpu() if isinstance(value, torch.Tensor) else value
