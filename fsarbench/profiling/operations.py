"""FLOPs of a model by slot, in testing and in training.

The FLOPs are counted on the meta device, where attention is computed as two matrix products. They
are therefore the same for every device, without the recomputation inside fused attention kernels.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from fsarbench.profiling.dummy_inputs import ProfiledModel, episode_loss
from fsarbench.profiling.episode_flops import count_operations
from fsarbench.profiling.flop_counter import FlopCounter, unfused_attention
from fsarbench.training.acceleration import accelerated

CONVENTION = (
    "1 multiply-add = 2 FLOPs; matrix products, convolutions and attention are counted, "
    "elementwise operations are not; each class text is encoded once, outside of the episodes"
)


@dataclass(frozen=True, kw_only=True)
class Testing:
    """FLOPs of testing, without gradients.

    Attributes:
        text_class: FLOPs of encoding the texts of one class; 0 without a text encoder.
        support_video: FLOPs of encoding one support video.
        query_video: FLOPs of encoding one query video.
        episode: FLOPs of one test episode without cached features.
        slots: FLOPs of the episode by slot; adapters are a slot separate from the backbone.
        not_counted: Operations of torch without a formula, with the number of calls.
    """

    text_class: int
    support_video: int
    query_video: int
    episode: int
    slots: Mapping[str, int]
    not_counted: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Training:
    """FLOPs of one training step, without the elementwise operations of the optimiser.

    Attributes:
        forward: FLOPs of the forward pass, from the episode to the losses.
        weights: FLOPs of the backward pass for gradients of trainable weights.
        through: FLOPs of the backward pass for gradients of activations, also through frozen
            layers, down to the first trainable layer; and those of recomputed activations.
        not_counted: Operations of torch without a formula, with the number of calls.
    """

    forward: int
    weights: int
    through: int
    not_counted: Mapping[str, int]

    @property
    def step(self) -> int:
        """FLOPs of the whole step."""
        return self.forward + self.weights + self.through


def count_testing(profiled: ProfiledModel) -> Testing:
    """Count the FLOPs of a test episode, a support video, a query video and a class text."""
    model, episode = profiled.model.eval(), profiled.episode("test")
    text = None if episode.text is None else episode.text[:1]
    with torch.device("meta"):
        class_text = count_operations(lambda: model.text_encoder and model.text_encoder(["class"]))
        support = count_operations(lambda: model.encode_support(episode.support[:1, :1], text))
        query = count_operations(lambda: model.encode_query(episode.query[:1]))
        whole = count_operations(lambda: model.scores(model(episode)), model)
    return Testing(
        text_class=class_text.total,
        support_video=support.total,
        query_video=query.total,
        episode=whole.total,
        slots=dict(whole.slots),
        not_counted=dict(class_text.not_counted + whole.not_counted),
    )


def count_training(profiled: ProfiledModel) -> Training | None:
    """Count the FLOPs of one training step; None without training."""
    if not profiled.trains:
        return None
    model, episode = profiled.model.train(), profiled.episode("train")
    settings = replace(profiled.settings.train, compile=False)
    with torch.device("meta"), unfused_attention(), accelerated(model.backbone, settings):
        with FlopCounter() as forward:
            loss = episode_loss(model, episode)
        with FlopCounter() as backward:
            loss.backward()
    model.zero_grad(set_to_none=True)
    return Training(
        forward=forward.total,
        weights=backward.weights,
        through=backward.total - backward.weights,
        not_counted=dict(forward.not_counted + backward.not_counted),
    )
