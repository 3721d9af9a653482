"""Several processes that train and test as one: ranks of `torchrun`, or of slurm.

Work is shared out by parts that one process would have done in one call, so that each number is
computed as it would be there. With one process all of this does nothing.
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
    """Whether this is one of several processes that have met."""
    return distributed.is_available() and distributed.is_initialized()


def rank() -> int:
    """The number of this process, from 0."""
    return distributed.get_rank() if several() else 0


def count() -> int:
    """How many processes there are."""
    return distributed.get_world_size() if several() else 1


def is_main() -> bool:
    """Whether this is the process that writes and prints."""
    return rank() == 0


def local_device(name: str | None) -> str | None:
    """The device of this process by name, where several on one machine share its GPUs out."""
    if name in (None, "cuda") and torch.cuda.is_available() and "LOCAL_RANK" in os.environ:
        return f"cuda:{os.environ['LOCAL_RANK']}"
    return name


def start(device: torch.device) -> None:
    """Meets the other processes of `torchrun`, if there are any; by gloo on a CPU."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or several():
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")


def start_slurm() -> None:
    """Meets the other processes that `srun` started, by mmengine; it says which GPU is whose.

    Raises:
        UserError: This is no process of `srun`, or it has no GPU.
    """
    if "SLURM_PROCID" not in os.environ or not torch.cuda.is_available():
        raise UserError(
            "--launcher slurm is for processes that srun starts, each with a GPU: srun "
            "--ntasks=2 --gpus-per-task=1 fsarbench run CONFIG --launcher slurm. On a CPU use "
            "torchrun."
        )
    from mmengine.dist import init_dist

    init_dist("slurm", backend="nccl")


def stop() -> None:
    """Parts from the others, once all work is done."""
    if several():
        distributed.destroy_process_group()


def share(parts: Sequence[Part]) -> list[Part]:
    """This process's parts of some work.

    Example:
        >>> share(["one", "two"])
        ['one', 'two']
    """
    return list(parts[rank() :: count()])


def part(total: int) -> int:
    """About how much of some work falls to this process.

    Example:
        >>> part(10)
        10
    """
    return -(-total // count())


def gather(found: dict[Any, Value]) -> dict[Any, Value]:
    """What all processes found, by keys that no two of them share; tensors come on the CPU.

    Example:
        >>> gather({"one": 1})
        {'one': 1}
    """
    if not several():
        return found
    everyones: list[dict[Any, Value]] = [{}] * count()
    distributed.all_gather_object(everyones, {key: _on_cpu(v) for key, v in found.items()})
    return {key: value for part in everyones for key, value in part.items()}


def decide(choice: Callable[[], Value]) -> Value:
    """What the main process chooses, known to all.

    Raises:
        UserError: As the choice does, in all of them.
    """
    if not several():
        return choice()
    said: list[Any] = [None, None]
    if is_main():
        try:
            said = [choice(), None]
        except UserError as error:
            said = [None, str(error)]
    distributed.broadcast_object_list(said)
    if said[1] is not None:
        raise UserError(said[1])
    found: Value = said[0]
    return found


@contextmanager
def main_first() -> Iterator[None]:
    """The main process goes first, and the others find what it has made."""
    if several() and not is_main():
        distributed.barrier()
    yield
    if several() and is_main():
        distributed.barrier()


def wait() -> None:
    """Until all processes are here."""
    if several():
        distributed.barrier()


def _on_cpu(value: Any) -> Any:
    return value.cpu() if isinstance(value, torch.Tensor) else value
