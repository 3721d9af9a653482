"""Cross-entropy over the classes of an episode."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from fsarbench.arguments.value_rules import NonNegativeFloat
from fsarbench.episode import Episode, Outcome
from fsarbench.interfaces import Loss
from fsarbench.registry import LOSSES


@LOSSES.register_module()
class EpisodeCrossEntropy(Loss):
    """Cross-entropy of the matcher's logits, mean over queries (Vinyals et al., NeurIPS 2016).

    Args:
        weight: Factor of the loss in the total loss.
    """

    def __init__(self, weight: NonNegativeFloat = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, outcome: Outcome, episode: Episode) -> Float[Tensor, ""]:
        """Mean over queries, in nats."""
        return F.cross_entropy(outcome.logits, episode.labels)
