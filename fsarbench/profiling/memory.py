"""Peak memory of a training step and of a test episode, split by what it is for."""

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
    empty_on,
    infer_episode,
    loss_of,
    tensors_of,
    with_tensors,
)
from fsarbench.training.acceleration import accelerated
from fsarbench.training.optimizer import parameter_groups


class MemoryTracker(TorchDispatchMode):
    """Bytes of living tensors by kind, from when they are made to when nobody holds them.

    What is made inside the `with` block is of the kind `activations`, unless `born_as` or `hold`
    says otherwise.

    Example:
        >>> import torch
        >>> weight = torch.ones(2, 3)
        >>> with MemoryTracker() as ledger:
        ...     ledger.hold([weight], "weights")
        ...     double = 2 * weight
        ...     del double
        >>> ledger.peak
        {'weights': 24, 'activations': 24}
    """

    def __init__(self) -> None:
        super().__init__()
        self.live: Counter[str] = Counter()
        self._peak: Mapping[str, int] = {}
        self._most = 0
        self._kind = "activations"
        self._books: dict[int, tuple[weakref.ref[Any], str, int]] = {}

    @property
    def peak(self) -> dict[str, int]:
        """The bytes of each kind at the moment when their sum was largest."""
        return {kind: size for kind, size in self._peak.items() if size}

    def hold(self, tensors: Iterable[Tensor], kind: str) -> None:
        """Enters tensors under a kind, or moves them there."""
        for tensor in tensors:
            self._strike(tensor.untyped_storage()._cdata)
            self._enter(tensor, kind)

    @contextmanager
    def born_as(self, kind: str) -> Iterator[None]:
        """What is made inside is of this kind."""
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
        """Runs the operation and enters what it made."""
        del types
        made = func(*args, **(kwargs or {}))
        for tensor in tree_iter(made):
            if isinstance(tensor, Tensor):
                self._enter(tensor, self._kind)
        return made

    def _enter(self, tensor: Tensor, kind: str) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        known = self._books.get(key)
        if known is not None and known[0]() is storage:
            return
        # The entry goes with the storage, so no key is ever that of another storage.
        gone = weakref.ref(storage, lambda _: self._strike(key))
        self._books[key] = gone, kind, storage.nbytes()
        self.live[kind] += storage.nbytes()
        if self.live.total() > self._most:
            self._most, self._peak = self.live.total(), dict(self.live)

    def _strike(self, key: int) -> None:
        known = self._books.pop(key, None)
        if known is not None:
            self.live[known[1]] -= known[2]


CPU = torch.device("cpu")


@dataclass(frozen=True)
class Peak:
    """The most that tensors held at once, in bytes, and what of it at that moment was for what.

    Attributes:
        total: All of it.
        weights: Parameters and buffers, the text encoder's too.
        inputs: Frames, labels, and the text features of the classes.
        gradients: Of trainable parameters.
        optimiser: Its moments.
        activations: All else: what is kept for the backward pass, and what is just being computed.
    """

    total: int
    weights: int
    inputs: int
    gradients: int
    optimiser: int
    activations: int


def computed_training(subject: ProfiledModel, half: bool) -> Peak | None:
    """The peak of a training step, from the shapes of its tensors: seconds, anywhere.

    None where nothing is trained.
    """
    if not subject.trains:
        return None
    # Compiled code has no operations that could be followed one by one.
    settings = replace(subject.settings.train, compile=False)
    with (
        without_numbers(subject, "train") as (model, episode),
        accelerated(model.backbone, settings),
    ):
        optimiser = AdamW(list(parameter_groups(model, settings)), fused=True)
        run = partial(loss_of, model.train(), episode, half, settings.together)
        return ledger_of_training(model, optimiser, episode, run)


def computed_testing(subject: ProfiledModel, half: bool) -> Peak:
    """Peak of an uncached test episode, computed from the shapes of its tensors."""
    with without_numbers(subject, "test") as (model, episode):
        return ledger_of_testing(model.eval(), episode, half)


@contextmanager
def without_numbers(subject: ProfiledModel, stage: str) -> Iterator[tuple[FewShotModel, Episode]]:
    """The model and an episode as on a CPU, kernels of attention and all, without memory."""
    with FakeTensorMode(allow_non_fake_inputs=True), CPU:
        episode = with_tensors(
            subject.episode(stage), lambda _, tensor: torch.empty_like(tensor, device=CPU)
        )
        yield empty_on(subject.model, CPU), episode


def ledger_of_training(
    model: FewShotModel, optimiser: Optimizer, episode: Episode, loss: Callable[[], Tensor]
) -> Peak:
    """The peak of a training step on tensors of any kind, by the ledger.

    Args:
        model: What is trained.
        optimiser: Of its trainable parameters.
        episode: What `loss` is computed from.
        loss: Runs the forward pass.
    """
    hooks = []
    with MemoryTracker() as ledger:
        _enter(ledger, model, episode)

        def keep(parameter: Tensor) -> None:
            if parameter.grad is not None:
                ledger.hold([parameter.grad], "gradients")

        for parameter in trainable_parameters(model).values():
            hooks.append(parameter.register_post_accumulate_grad_hook(keep))
        # The optimiser has its moments from the second step on.
        for _ in range(2):
            loss().backward()
            with ledger.born_as("optimiser"):
                optimiser.step()
            optimiser.zero_grad(set_to_none=True)
    for hook in hooks:
        hook.remove()
    return _peak(ledger.peak)


def ledger_of_testing(model: FewShotModel, episode: Episode, half: bool) -> Peak:
    """The peak of a test episode on tensors of any kind, by the ledger."""
    with MemoryTracker() as ledger:
        _enter(ledger, model, episode)
        infer_episode(model, episode, half)
    return _peak(ledger.peak)


def _enter(ledger: MemoryTracker, model: FewShotModel, episode: Episode) -> None:
    ledger.hold([*model.parameters(), *model.buffers()], "weights")
    ledger.hold(tensors_of(episode), "inputs")


def _peak(kinds: Mapping[str, int]) -> Peak:
    names = ("weights", "inputs", "gradients", "optimiser", "activations")
    return Peak(sum(kinds.values()), *(kinds.get(name, 0) for name in names))
