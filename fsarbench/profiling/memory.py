"""Peak memory of a training step and of a test episode, by kind of tensor."""

import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.optim import AdamW, Optimizer
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from fsarbench.episode import Episode
from fsarbench.model import FewShotModel, trainable_parameters
from fsarbench.profiling.dummy_inputs import (
    ProfiledModel,
    empty_copy,
    episode_loss,
    infer_episode,
    map_tensors,
    tensors_of,
)
from fsarbench.training.acceleration import accelerated
from fsarbench.training.optimizer import parameter_groups


class MemoryTracker(TorchDispatchMode):
    """Track the bytes of allocated tensors by kind, for the code in a `with` block.

    A new tensor is of the kind `activations`, unless `new_tensors_as` or `register` sets another
    kind. A tensor is removed when its memory is freed.

    Example:
        >>> import torch
        >>> weight = torch.ones(2, 3)
        >>> with MemoryTracker() as tracker:
        ...     tracker.register([weight], "weights")
        ...     double = 2 * weight
        ...     del double
        >>> tracker.peak
        {'weights': 24, 'activations': 24}
    """

    def __init__(self) -> None:
        super().__init__()
        self.live: Counter[str] = Counter()
        self._peak: Mapping[str, int] = {}
        self._largest = 0
        self._kind = "activations"
        self._entries: dict[int, tuple[weakref.ref[Any], str, int]] = {}

    @property
    def peak(self) -> dict[str, int]:
        """Bytes of each kind at the time of the largest total."""
        return {kind: size for kind, size in self._peak.items() if size}

    def register(self, tensors: Iterable[Tensor], kind: str) -> None:
        """Add tensors under a kind, or change the kind of tracked tensors."""
        for tensor in tensors:
            self._remove(tensor.untyped_storage()._cdata)
            self._add(tensor, kind)

    @contextmanager
    def new_tensors_as(self, kind: str) -> Iterator[None]:
        """Set the kind of new tensors for the code in a `with` block."""
        before, self._kind = self._kind, kind
        try:
            yield
        finally:
            self._kind = before

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run an operation and track its outputs."""
        del types
        output = func(*args, **(kwargs or {}))
        for tensor in tree_iter(output):
            if isinstance(tensor, Tensor):
                self._add(tensor, self._kind)
        return output

    def _add(self, tensor: Tensor, kind: str) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        entry = self._entries.get(key)
        if entry is not None and entry[0]() is storage:
            return
        # The entry is removed with the storage, so a key is never that of a freed storage.
        reference = weakref.ref(storage, lambda _: self._remove(key))
        self._entries[key] = reference, kind, storage.nbytes()
        self.live[kind] += storage.nbytes()
        if self.live.total() > self._largest:
            self._largest, self._peak = self.live.total(), dict(self.live)

    def _remove(self, key: int) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            _, kind, size = entry
            self.live[kind] -= size


CPU = torch.device("cpu")


@dataclass(frozen=True)
class Peak:
    """Peak memory of tensors in bytes, with the bytes of each kind at that time.

    Attributes:
        total: Sum of all kinds.
        weights: Parameters and buffers, including those of the text encoder.
        inputs: Frames, labels, and text features of the classes.
        gradients: Gradients of trainable parameters.
        optimiser: Moments of the optimiser.
        activations: All other tensors: those saved for the backward pass, and temporary ones.
    """

    total: int
    weights: int
    inputs: int
    gradients: int
    optimiser: int
    activations: int


def training_memory(profiled: ProfiledModel, bf16: bool) -> Peak | None:
    """Peak memory of a training step, computed from tensor shapes; None without training."""
    if not profiled.trains:
        return None
    # The operations of compiled code cannot be tracked one by one.
    settings = replace(profiled.settings.train, compile=False)
    with (
        fake_tensors(profiled, "train") as (model, episode),
        accelerated(model.backbone, settings),
    ):
        optimiser = AdamW(list(parameter_groups(model, settings)), fused=True)
        loss = partial(episode_loss, model.train(), episode, bf16, settings.together)
        return track_training(model, optimiser, episode, loss)


def inference_memory(profiled: ProfiledModel, bf16: bool) -> Peak:
    """Peak memory of a test episode without cached features, computed from tensor shapes."""
    with fake_tensors(profiled, "test") as (model, episode):
        return track_testing(model.eval(), episode, bf16)


@contextmanager
def fake_tensors(profiled: ProfiledModel, stage: str) -> Iterator[tuple[FewShotModel, Episode]]:
    """Model and episode as fake CPU tensors, which run the operations of a CPU without memory."""
    with FakeTensorMode(allow_non_fake_inputs=True), CPU:
        episode = map_tensors(
            profiled.episode(stage), lambda _, tensor: torch.empty_like(tensor, device=CPU)
        )
        yield empty_copy(profiled.model, CPU), episode


def track_training(
    model: FewShotModel, optimiser: Optimizer, episode: Episode, loss: Callable[[], Tensor]
) -> Peak:
    """Peak memory of a training step on real or fake tensors, measured with a `MemoryTracker`.

    Args:
        model: Model in training mode.
        optimiser: Optimiser of the trainable parameters.
        episode: Episode from which `loss` is computed.
        loss: Function that runs the forward pass and returns the loss.
    """
    hooks = []
    with MemoryTracker() as tracker:
        _register_inputs(tracker, model, episode)

        def register_gradient(parameter: Tensor) -> None:
            if parameter.grad is not None:
                tracker.register([parameter.grad], "gradients")

        for parameter in trainable_parameters(model).values():
            hooks.append(parameter.register_post_accumulate_grad_hook(register_gradient))
        # The moments of the optimiser exist from the second step on.
        for _ in range(2):
            loss().backward()
            with tracker.new_tensors_as("optimiser"):
                optimiser.step()
            optimiser.zero_grad(set_to_none=True)
    for hook in hooks:
        hook.remove()
    return _peak(tracker.peak)


def track_testing(model: FewShotModel, episode: Episode, bf16: bool) -> Peak:
    """Peak memory of a test episode on real or fake tensors, measured with a `MemoryTracker`."""
    with MemoryTracker() as tracker:
        _register_inputs(tracker, model, episode)
        infer_episode(model, episode, bf16)
    return _peak(tracker.peak)


def _register_inputs(tracker: MemoryTracker, model: FewShotModel, episode: Episode) -> None:
    tracker.register([*model.parameters(), *model.buffers()], "weights")
    tracker.register(tensors_of(episode), "inputs")


def _peak(kinds: Mapping[str, int]) -> Peak:
    names = ("weights", "inputs", "gradients", "optimiser", "activations")
    return Peak(sum(kinds.values()), *(kinds.get(name, 0) for name in names))
