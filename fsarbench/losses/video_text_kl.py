"""MA-FSAR's losses between videos and class names (Xing et al., arXiv 2308.01532)."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from fsarbench.arguments.value_rules import NonNegativeFloat, PositiveFloat
from fsarbench.episode import Episode, Outcome
from fsarbench.functional.text_scores import text_logits
from fsarbench.interfaces import Loss
from fsarbench.registry import LOSSES


@LOSSES.register_module()
class VideoTextKL(Loss):
    """Half of support-to-text plus query-to-text KL divergence (MA-FSAR, arXiv 2308.01532).

    The features are those of the backbone, averaged over time. The scores are a softmax over the
    episode's classes of the cosine divided by the temperature. The target is one-hot, for which the
    KL divergence equals the cross-entropy; the cross-entropy is computed.

    Args:
        weight: Factor of the loss in the total loss.
        temperature: Divisor of the cosine, above 0; 0.01 corresponds to CLIP's logit scale.
    """

    uses_text = True
    uses_match = False

    def __init__(self, weight: NonNegativeFloat = 1.0, temperature: PositiveFloat = 0.01) -> None:
        super().__init__()
        self.weight = weight
        self.temperature = temperature

    def forward(self, outcome: Outcome, episode: Episode) -> Float[Tensor, ""]:
        """Average of the mean over support videos and the mean over queries, in nats."""
        way, shot = outcome.support.shape[:2]
        labels = torch.arange(way, device=outcome.support.device).repeat_interleave(shot)
        support = text_logits(outcome.support.flatten(0, 1), outcome.text, self.temperature)
        query = text_logits(outcome.query, outcome.text, self.temperature)
        return (F.cross_entropy(support, labels) + F.cross_entropy(query, episode.labels)) / 2
