"""Mixed precision: backbone under bf16 autocast; prototypes, matching and losses in fp32."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from fsarbench.episode import Episode, Outcome
from fsarbench.model import FewShotModel
from fsarbench.settings import TrainSettings


def uses_bf16(settings: TrainSettings, device: torch.device) -> bool:
    """Whether the backbone runs under bf16 autocast, by the config's key `train.precision`.

    Example:
        >>> uses_bf16(TrainSettings(precision="auto"), torch.device("cuda"))
        True
    """
    return settings.precision == "bf16" or (settings.precision == "auto" and device.type == "cuda")


def autocast(device: torch.device, bf16: bool) -> AbstractContextManager[object]:
    """bf16 autocast, or nothing: some devices, such as meta, have no autocast."""
    return torch.autocast(device.type, torch.bfloat16) if bf16 else nullcontext()


def forward_episode(
    model: FewShotModel, episode: Episode, bf16: bool, together: bool = False
) -> Outcome:
    """Forward pass of one episode, with the backbone under bf16 autocast if wanted.

    Args:
        model: The model.
        episode: On the model's device.
        bf16: Encode the videos in bf16.
        together: Encode support and queries in one call where that is possible.
    """
    text = model.encode_text(episode)
    with autocast(episode.query.device, bf16):
        support, query = model.encode(episode, text, together)
    # bf16 has 8 bits of precision: too few for alignment costs and the losses' logarithms.
    return model.match(support.map(Tensor.float), query.map(Tensor.float), text)
