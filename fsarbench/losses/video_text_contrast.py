"""Videos against the names of all training classes (CLIP-FSAR, Wang et al., IJCV 2024)."""

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

    Features are those before the prototype builder, averaged over time; the logits of a video,
    support and query alike, are its cosines with the text of every class of the training split,
    over a temperature.

    Args:
        weight: What the loss is multiplied by in the sum.
        temperature: What the cosine is divided by at the start, above 0.
        learnable: Whether the scale, one over the temperature, is tuned.
    """

    uses_text = True
    uses_match = False

    def __init__(
        self,
        weight: NonNegativeFloat = 1.0,
        temperature: PositiveFloat = 1.0,
        learnable: bool = True,
    ) -> None:
        super().__init__()
        self.weight = weight
        self.scale = nn.Parameter(torch.tensor(1 / temperature), requires_grad=learnable)

    def forward(self, outcome: Outcome, episode: Episode) -> Float[Tensor, ""]:
        """The mean over all support and query videos, in nats.

        Raises:
            UserError: The episode brings no text of all classes.
        """
        if episode.bank is None:
            raise UserError(
                "VideoTextContrast compares videos with the text of all training classes, which is "
                "computed once: give the config a text_encoder that training does not change."
            )
        videos = torch.cat([outcome.support.flatten(0, 1), outcome.query])
        cosines = text_logits(videos, episode.bank, 1.0)
        support = episode.classes.repeat_interleave(outcome.support.shape[1])
        own = torch.cat([support, episode.classes[episode.labels]])
        return F.cross_entropy(cosines * self.scale, own)
