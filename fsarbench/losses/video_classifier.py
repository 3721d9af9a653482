"""Auxiliary classifier of videos over all training classes."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from fsarbench.arguments.value_rules import NonNegativeFloat
from fsarbench.episode import Episode, Outcome
from fsarbench.interfaces import Loss
from fsarbench.registry import LOSSES


@LOSSES.register_module()
class VideoClassifier(Loss):
    """Cross-entropy of a linear classifier of videos over all training classes.

    The classifier reads the mean of a video's frame features, as in D2ST-Adapter (Pei et al., ICCV
    2025).

    Args:
        dim: Feature width D.
        classes: Number of training classes A.
        weight: Factor of the loss in the total loss.

    Example:
        >>> sum(p.numel() for p in VideoClassifier(768, 64).parameters())
        49216
    """

    uses_match = False

    def __init__(self, dim: int, classes: int, weight: NonNegativeFloat = 1.0) -> None:
        super().__init__()
        self.weight = weight
        self.classifier = nn.Linear(dim, classes)

    def forward(self, outcome: Outcome, episode: Episode) -> Float[Tensor, ""]:
        """Mean over all support and query videos, in nats."""
        videos = torch.cat([outcome.support.flatten(0, 1), outcome.query])
        support_classes = episode.classes.repeat_interleave(outcome.support.shape[1])
        video_classes = torch.cat([support_classes, episode.classes[episode.labels]])
        return F.cross_entropy(self.classifier(videos.mean(1)), video_classes)
