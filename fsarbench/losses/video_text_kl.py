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

    Features are those before the prototype builder, averaged over time; scores are a softmax over
    the episode's classes of cosine over temperature. The target is one-hot, and from a one-hot
    target the KL divergence is the cross-entropy, which is what is computed.

    Args:
        weight: What the loss is multiplied by in the sum.
        temperature: What the cosine is divided by, above 0; 0.01 is CLIP's own logit scale.
    """

    uses_text = True
    uses_match = False

    def __init__(self, weight: NonNegativeFloat = 1.0, temperature: PositiveFloat = 0.01) -> None:
        super().__init__()
        self.weight = weight
        self.temperature = temperature

    def forward(self, outcome: Outcome, episode: Episode) -> Float[Tensor, ""]:
        """The mean over support videos and the mean over queries, averaged; in nats."""
        way, shot = outcome.support.shape[:2]
        own = torch.arange(way, device=outcome.support.device).repeat_interleave(shot)
        support = text_logits(outcome.support.flatten(0, 1), outcome.text, self.temperature)
        query = text_logits(outcome.query, outcome.text, self.temperature)
        return (F.cross_entropy(support, own) + F.cross_entropy(query, episode.labels)) / 2
