"""Video-text classification over all training classes (CLIP-FSAR, Wang et al., IJCV 2024)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from fsarbench.arguments.value_rules import NonNegativeFloat, PositiveFloat
from fsarbench.episode import Episode, Outcome
from fsarbench.errors import UserError
from fsarbench.functional.text_scores import text_logits
from fsarbench.interfaces import Loss
from fsarbench.registry import LOSSES


@LOSSES.register_module()
class VideoTextContrast(Loss):
    """Cross-entropy of videos over the text of all training classes (CLIP-FSAR, arXiv 2303.02982).

    The features are those of the backbone, averaged over time. The logits of a support or query
    video are its cosines with the text of every training class, divided by a temperature.

    Args:
        weight: Factor of the loss in the total loss.
        temperature: Initial divisor of the cosine, above 0.
        learnable: Whether the scale, the inverse of the temperature, is trainable.
        cosine_eps: Term added to the product of the norms in the cosine, 0.01 in the authors' code.
    """

    uses_text = True
    uses_match = False

    def __init__(
        self,
        weight: NonNegativeFloat = 1.0,
        temperature: PositiveFloat = 1.0,
        learnable: bool = True,
        cosine_eps: NonNegativeFloat = 0.0,
    ) -> None:
        super().__init__()
        self.weight = weight
        self.cosine_eps = cosine_eps
        self.scale = nn.Parameter(torch.tensor(1 / temperature), requires_grad=learnable)

    def forward(self, outcome: Outcome, episode: Episode) -> Float[Tensor, ""]:
        """Mean over all support and query videos, in nats.

        Raises:
            UserError: The episode has no text features of all training classes.
        """
        if episode.bank is None:
            raise UserError(
                "VideoTextContrast compares videos with the text of all training classes, which is "
                "computed once: give the config a frozen text_encoder."
            )
        videos = torch.cat([outcome.support.flatten(0, 1), outcome.query])
        cosines = text_logits(videos, episode.bank, 1.0, self.cosine_eps)
        support_classes = episode.classes.repeat_interleave(outcome.support.shape[1])
        video_classes = torch.cat([support_classes, episode.classes[episode.labels]])
        return F.cross_entropy(cosines * self.scale, video_classes)
