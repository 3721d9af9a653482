"""The loss of a training episode as a run computes it, and the scores of a test episode.

A run tests in fp32; here testing may be in bf16 too, to see what that costs.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.episode import Episode
from fsarbench.model import FewShotModel
from fsarbench.training.precision import forward_episode


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
    outcome = forward_episode(model, episode, half, together)
    losses = model.loss(outcome, episode)
    return torch.stack(list(losses.values())).sum()


@torch.no_grad()
def infer_episode(model: FewShotModel, episode: Episode, half: bool) -> Float[Tensor, "Q N"]:
    """The scores of one test episode, every video encoded anew."""
    return model.scores(forward_episode(model, episode, half))
