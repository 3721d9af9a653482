"""Peak memory of a training step and of a test episode, split by what it is for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.optim import AdamW, Optimizer

from fsarbench.episode import Episode
from fsarbench.model import FewShotModel, tuned_parameters
from fsarbench.profiling.dummy_inputs import Subject, empty_on, tensors_of, with_tensors
from fsarbench.profiling.ledger import Ledger
from fsarbench.profiling.step import infer_episode, loss_of
from fsarbench.training.acceleration import accelerated
from fsarbench.training.optimizer import parameter_groups

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Peak:
    """The most that tensors held at once, in bytes, and what of it at that moment was for what.

    Attributes:
        total: All of it.
        weights: Parameters and buffers, the text encoder's too.
        inputs: Frames, labels, and the text features of the classes.
        gradients: Of tuned parameters.
        optimiser: Its moments.
        activations: All else: what is kept for the backward pass, and what is just being computed.
    """

    total: int
    weights: int
    inputs: int
    gradients: int
    optimiser: int
    activations: int


def computed_training(subject: Subject, half: bool) -> Peak | None:
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


def computed_testing(subject: Subject, half: bool) -> Peak:
    """The peak of a test episode, every video encoded anew, from the shapes of its tensors."""
    with without_numbers(subject, "test") as (model, episode):
        return ledger_of_testing(model.eval(), episode, half)


@contextmanager
def without_numbers(subject: Subject, stage: str) -> Iterator[tuple[FewShotModel, Episode]]:
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
        optimiser: Of its tuned parameters.
        episode: What `loss` is computed from.
        loss: Runs the forward pass.
    """
    hooks = []
    with Ledger() as ledger:
        _enter(ledger, model, episode)

        def keep(parameter: Tensor) -> None:
            if parameter.grad is not None:
                ledger.hold([parameter.grad], "gradients")

        for parameter in tuned_parameters(model).values():
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
    with Ledger() as ledger:
        _enter(ledger, model, episode)
        infer_episode(model, episode, half)
    return _peak(ledger.peak)


def _enter(ledger: Ledger, model: FewShotModel, episode: Episode) -> None:
    ledger.hold([*model.parameters(), *model.buffers()], "weights")
    ledger.hold(tensors_of(episode), "inputs")


def _peak(kinds: Mapping[str, int]) -> Peak:
    names = ("weights", "inputs", "gradients", "optimiser", "activations")
    return Peak(sum(kinds.values()), *(kinds.get(name, 0) for name in names))
