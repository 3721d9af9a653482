"""Mixed precision: backbone in bf16 with autocast; prototypes, matcher and losses in fp32."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from fsarbench.episode import Episode, Outcome
from fsarbench.model import FewShotModel
from fsarbench.settings import TrainSettings


def uses_bf16(settings: TrainSettings, device: torch.device) -> bool:
    """Whether the backbone runs in bf16, according to `train.precision`.

    Example:
        >>> uses_bf16(TrainSettings(precision="auto"), torch.device("cuda"))
        True
    """
    return settings.precision == "bf16" or (settings.precision == "auto" and device.type == "cuda")


def autocast(device: torch.device, bf16: bool) -> AbstractContextManager[object]:
    """Context of bf16 autocast; without bf16 an empty context, because meta has no autocast."""
    return torch.autocast(device.type, torch.bfloat16) if bf16 else nullcontext()


def forward_episode(
    model: FewShotModel, episode: Episode, bf16: bool, together: bool = False
) -> Outcome:
    """Forward pass of one episode.

    Args:
        model: Model to run.
        episode: Episode on the device of the model.
        bf16: Encode the videos in bf16.
        together: Encode support and queries in one call if possible.
    """
    text = model.encode_text(episode)
    with autocast(episode.query.device, bf16):
        support, query = model.encode(episode, text, together)
    if bf16:
        # Its 8 significant bits are too few for alignment costs and logarithms in losses.
        support, query = support.map(Tensor.float), query.map(Tensor.float)
    return model.match(support, query, text)
