"""Classifier of videos that is guided by their text scores (TS-FSAR, Long et al., AAAI 2026)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from fsarbench.arguments.value_rules import (
    NonEmptyStr,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    ShareWithZero,
)
from fsarbench.episode import Episode, Outcome
from fsarbench.errors import UserError
from fsarbench.functional.distance_correlation import without_token
from fsarbench.functional.text_scores import text_logits
from fsarbench.interfaces import Loss
from fsarbench.layers import dropout_layer
from fsarbench.registry import LOSSES


@LOSSES.register_module()
class GuidedClassifier(Loss):
    """Classifier guided by adapted CLIP, the loss GLAC of TS-FSAR (AAAI 2026, arXiv 2512.11340).

    A linear classifier over all training classes reads the time-averaged features of every video.
    Its loss is the cross-entropy plus the KL divergence of its probabilities from those of the text
    of all training classes for the features of the branch `guide`, both softened by a temperature.
    The gradient also reaches the guide.

    Args:
        dim: Feature width F of the classified features.
        classes: Number of training classes A.
        weight: Factor of the loss in the total loss.
        guide: Branch whose features are compared with text; None takes the classified features.
        guide_weight: Factor of the divergence relative to the cross-entropy.
        softness: Divisors of the classifier's logits and of the cosines with text in the
            divergence, which is multiplied by the square of the first.
        token_width: Number of last values of a feature that the classifier leaves out, see
            AlphaDistance.
        dropout: Dropout rate of the classifier's input.

    Raises:
        UserError: `token_width` leaves no values.

    Example:
        >>> sum(p.numel() for p in GuidedClassifier(14, 64, token_width=4).parameters())
        640
    """

    uses_text = True
    uses_match = False

    def __init__(
        self,
        dim: int,
        classes: int,
        weight: NonNegativeFloat = 1.0,
        guide: NonEmptyStr | None = None,
        guide_weight: NonNegativeFloat = 1.0,
        softness: tuple[PositiveFloat, PositiveFloat] = (10.0, 0.2),
        token_width: NonNegativeInt = 0,
        dropout: ShareWithZero = 0.0,
    ) -> None:
        super().__init__()
        self.weight = weight
        self.guide = guide
        self.guide_weight = guide_weight
        if token_width >= dim:
            raise UserError(
                f"GuidedClassifier: token_width is {token_width}, expected less than the feature "
                f"width {dim}."
            )
        self.softness = tuple(softness)
        self.token_width = token_width
        self.dropout = dropout_layer(dropout)
        self.classifier = nn.Linear(dim - token_width, classes, bias=False)

    def forward(self, outcome: Outcome, episode: Episode) -> Float[Tensor, ""]:
        """Mean over all support and query videos, in nats.

        Raises:
            UserError: There is no branch `guide`, or no text features of all training classes.
        """
        videos = torch.cat([outcome.support.flatten(0, 1), outcome.query]).mean(1)
        logits = self.classifier(self.dropout(without_token(videos, self.token_width)))
        support_classes = episode.classes.repeat_interleave(outcome.support.shape[1])
        video_classes = torch.cat([support_classes, episode.classes[episode.labels]])
        entropy = F.cross_entropy(logits, video_classes)
        return entropy + self.guide_weight * self._divergence(logits, outcome, episode)

    def _divergence(
        self, logits: Float[Tensor, "V A"], outcome: Outcome, episode: Episode
    ) -> Float[Tensor, ""]:
        """KL divergence of the classifier's probabilities from those of the guide."""
        if episode.bank is None:
            raise UserError(
                "GuidedClassifier compares videos with the text of all training classes, which is "
                "computed once: give the config a frozen text_encoder."
            )
        guide = self._guide(outcome)
        features = torch.cat([guide.support.flatten(0, 1), guide.query])
        softness, temperature = self.softness
        target = text_logits(features, episode.bank, temperature).log_softmax(-1)
        guided = (logits / softness).log_softmax(-1)
        divergence = F.kl_div(guided, target, reduction="batchmean", log_target=True)
        return divergence * softness**2

    def _guide(self, outcome: Outcome) -> Outcome:
        if self.guide is None:
            return outcome
        if self.guide not in outcome.branches:
            raise UserError(
                f"GuidedClassifier: guide is {self.guide!r}, expected one of the branches "
                f"{', '.join(sorted(outcome.branches))}."
            )
        return outcome.of(self.guide)
