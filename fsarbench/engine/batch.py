"""From what a loader gives to the episode that a model takes."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.episode import Episode
from fsarbench.video import Split


def to_episode(
    batch: Mapping[str, Tensor],
    split: Split,
    text: Float[Tensor, "M E"] | None,
    device: torch.device,
) -> Episode:
    """An episode on a device.

    Args:
        batch: `support`, `query`, `labels` and `classes` of one episode.
        split: What `classes` are indices into.
        text: The text features of the split's classes; None leaves text to the model.
        device: Where the model is.
    """
    moved = {
        key: batch[key].to(device, non_blocking=True)
        for key in ("support", "query", "labels", "classes")
    }
    names = tuple(split.readable[index] for index in batch["classes"].tolist())
    own = None if text is None else text[moved["classes"]]
    return Episode(**moved, names=names, text=own, bank=text)
