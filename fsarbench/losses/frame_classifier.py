"""Auxiliary classifier of single frames over all training classes."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from fsarbench.arguments.value_rules import NonEmptyStr, NonNegativeFloat
from fsarbench.episode import Episode, Outcome
from fsarbench.interfaces import Loss
from fsarbench.registry import LOSSES


@LOSSES.register_module()
class FrameClassifier(Loss):
    """Cross-entropy of a linear classifier of frames over all training classes (HyRSM, CVPR 2022).

    Args:
        dim: Feature width D.
        classes: Number of training classes A.
        weight: Factor of the loss in the total loss.
        auxiliary: Auxiliary output of neck or prototype builder that is classified, with the axes
            "V S D", such as `attended` of HybridRelation; None for the features of the backbone.

    Example:
        >>> sum(p.numel() for p in FrameClassifier(512, 64).parameters())
        32832
    """

    uses_match = False

    def __init__(
        self,
        dim: int,
        classes: int,
        weight: NonNegativeFloat = 1.0,
        auxiliary: NonEmptyStr | None = None,
    ) -> None:
        super().__init__()
        self.weight = weight
        self.auxiliary = auxiliary
        self.classifier = nn.Linear(dim, classes)

    def forward(self, outcome: Outcome, episode: Episode) -> Float[Tensor, ""]:
        """Mean over the frames of all support and query videos, in nats.

        Raises:
            UserError: The model gives no auxiliary output of the chosen name.
        """
        videos = self._videos(outcome)
        support_classes = episode.classes.repeat_interleave(outcome.support.shape[1])
        video_classes = torch.cat([support_classes, episode.classes[episode.labels]])
        frame_classes = video_classes.repeat_interleave(videos.shape[1])
        return F.cross_entropy(self.classifier(videos).flatten(0, 1), frame_classes)

    def _videos(self, outcome: Outcome) -> Float[Tensor, "V S D"]:
        if self.auxiliary is None:
            return torch.cat([outcome.support.flatten(0, 1), outcome.query])
        return outcome.auxiliary_output(self.auxiliary, "FrameClassifier: auxiliary")
