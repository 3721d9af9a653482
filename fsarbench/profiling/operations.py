"""Operations of an assembly, slot by slot, in testing and in training.

All is counted on the meta device, where attention is two products of matrices: so the numbers are
the same for every device, and its kernels' own recomputation is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from fsarbench.profiling.dummy_inputs import ProfiledModel, loss_of
from fsarbench.profiling.episode_flops import counted
from fsarbench.profiling.flop_counter import FlopCounter, plain_attention
from fsarbench.training.acceleration import accelerated

CONVENTION = (
    "1 multiply-add = 2 FLOP; matrix products, convolutions and attention, elementwise work not; "
    "text is encoded once a class, apart from the episodes"
)


@dataclass(frozen=True, kw_only=True)
class Testing:
    """Operations without gradients.

    Attributes:
        text_class: Encoding the name of one class, all its prompts; 0 without a text encoder.
        support_video: Encoding one support video.
        query_video: Encoding one query video.
        episode: One test episode without caching.
        slots: The episode's by slot; adapters are told apart from the trunk's blocks.
        not_counted: Operations of torch that have no formula, and how often they came.
    """

    text_class: int
    support_video: int
    query_video: int
    episode: int
    slots: Mapping[str, int]
    not_counted: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Training:
    """Operations of one training step, without the optimiser's elementwise work.

    Attributes:
        forward: The episode to its losses.
        weights: Backward, gradients of the trainable weights.
        through: Backward, gradients passed on: through frozen weights too, down to the lowest tuned
            one, and whatever is computed again (activation checkpointing).
        not_counted: Operations of torch that have no formula, and how often they came.
    """

    forward: int
    weights: int
    through: int
    not_counted: Mapping[str, int]

    @property
    def step(self) -> int:
        """All of it."""
        return self.forward + self.weights + self.through


def count_testing(subject: ProfiledModel) -> Testing:
    """Counts one test episode of the config's kind, and its pieces."""
    model, episode = subject.model.eval(), subject.episode("test")
    text = None if episode.text is None else episode.text[:1]
    with torch.device("meta"):
        names = counted(lambda: model.text_encoder and model.text_encoder(["class"]))
        support = counted(lambda: model.encode_support(episode.support[:1, :1], text))
        query = counted(lambda: model.encode_query(episode.query[:1]))
        whole = counted(lambda: model.scores(model(episode)), model)
    return Testing(
        text_class=names.total,
        support_video=support.total,
        query_video=query.total,
        episode=whole.total,
        slots=dict(whole.slots),
        not_counted=dict(names.not_counted + whole.not_counted),
    )


def count_training(subject: ProfiledModel) -> Training | None:
    """Counts one training step; None where nothing is trained."""
    if not subject.trains:
        return None
    model, episode = subject.model.train(), subject.episode("train")
    settings = replace(subject.settings.train, compile=False)
    with torch.device("meta"), plain_attention(), accelerated(model.backbone, settings):
        with FlopCounter() as forward:
            loss = loss_of(model, episode)
        with FlopCounter() as backward:
            loss.backward()
    model.zero_grad(set_to_none=True)
    return Training(
        forward=forward.total,
        weights=backward.weights,
        through=backward.total - backward.weights,
        not_counted=dict(forward.not_counted + backward.not_counted),
    )
