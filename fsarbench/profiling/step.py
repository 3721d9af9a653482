"""The loss of a training episode, and the scores of a test episode, as a run computes them."""

from contextlib import AbstractContextManager, nullcontext

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.episode import Episode
from fsarbench.model import FewShotModel


def loss_of(
    model: FewShotModel, episode: Episode, half: bool = False, together: bool = False
) -> Float[Tensor, ""]:
    """The sum of an episode's losses.

    Args:
        model: In training mode.
        episode: On the model's device.
        half: Encode the videos in bf16.
        together: Encode support and queries in one call where that is possible.
    """
    text = model.describe(episode)
    with precision(episode.query.device, half):
        support, query = model.encode(episode, text, together)
    outcome = model.compare(support.float(), query.float(), text)
    losses = model.loss(outcome, episode)
    return torch.stack(list(losses.values())).sum()


@torch.no_grad()
def infer_episode(model: FewShotModel, episode: Episode, half: bool) -> Float[Tensor, "Q N"]:
    """The scores of one test episode, every video encoded anew."""
    text = model.describe(episode)
    with precision(episode.query.device, half):
        support, query = model.encode(episode, text)
    return model.scores(model.compare(support.float(), query.float(), text))


def precision(device: torch.device, half: bool) -> AbstractContextManager[object]:
    """bf16 autocast, or nothing: some devices, such as meta, have no autocast at all."""
    return torch.autocast(device.type, torch.bfloat16) if half else nullcontext()
