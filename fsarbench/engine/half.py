"""bf16 where it serves: videos are encoded in it, prototypes, matching and losses stay in fp32."""

from contextlib import AbstractContextManager, nullcontext

import torch

from fsarbench.engine.settings import TrainSettings
from fsarbench.episode import Episode, Outcome
from fsarbench.model import FewShotModel


def runs_half(settings: TrainSettings, device: torch.device) -> bool:
    """Whether videos are encoded in bf16, by the config's key `train.precision`.

    Example:
        >>> runs_half(TrainSettings(precision="auto"), torch.device("cuda"))
        True
    """
    return settings.precision == "bf16" or (settings.precision == "auto" and device.type == "cuda")


def precision(device: torch.device, half: bool) -> AbstractContextManager[object]:
    """bf16 autocast, or nothing: some devices, such as meta, have no autocast at all."""
    return torch.autocast(device.type, torch.bfloat16) if half else nullcontext()


def outcome_of(
    model: FewShotModel, episode: Episode, half: bool, together: bool = False
) -> Outcome:
    """What the parts make of an episode.

    Args:
        model: The model.
        episode: On the model's device.
        half: Encode the videos in bf16.
        together: Encode support and queries in one call where that is possible.
    """
    text = model.describe(episode)
    with precision(episode.query.device, half):
        support, query = model.encode(episode, text, together)
    # bf16 has 8 bits of precision: too few for alignment costs and the losses' logarithms.
    return model.compare(support.float(), query.float(), text)
