"""Long-short contrast of MoLo (Wang et al., CVPR 2023)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from fsarbench.arguments.value_rules import NonEmptyStr, NonNegativeFloat, PositiveFloat
from fsarbench.episode import Episode, Outcome
from fsarbench.functional.pairwise import frame_cosines
from fsarbench.interfaces import Loss
from fsarbench.registry import LOSSES


@LOSSES.register_module()
class LongShortContrast(Loss):
    """Long-short contrastive objective of MoLo (Wang et al., CVPR 2023, arXiv 2304.00946).

    The distance of a query to a class is the sum over the frames of one of them of 1 minus the
    cosine of the frame with the class token of the other one. Classified are the frames of the
    classes with the token of the query, and the frames of the query with the tokens of the classes.
    Shots are averaged.

    Args:
        weight: Factor of the loss in the total loss.
        scale: Factor of the distances, or its initial value.
        learnable: Whether the factor is trainable.
        cosine_eps: Term added to the product of the norms in the cosine, 0.01 in the authors' code.
        auxiliary: Auxiliary output "V F" with the token of every video, such as `token` of the neck
            LongShort; None takes the mean over the frames.
    """

    uses_match = False

    def __init__(
        self,
        weight: NonNegativeFloat = 1.0,
        scale: PositiveFloat = 1.0,
        learnable: bool = True,
        cosine_eps: NonNegativeFloat = 0.01,
        auxiliary: NonEmptyStr | None = None,
    ) -> None:
        super().__init__()
        self.weight = weight
        self.cosine_eps = cosine_eps
        self.auxiliary = auxiliary
        self.scale = nn.Parameter(torch.tensor(float(scale)), requires_grad=learnable)

    def forward(self, outcome: Outcome, episode: Episode) -> Float[Tensor, ""]:
        """Sum of the two cross-entropies, each a mean over queries, in nats.

        Raises:
            UserError: The model gives no auxiliary output of the chosen name.
        """
        class_frames, (class_tokens, query_tokens) = outcome.support.mean(1), self._tokens(outcome)
        of_classes = self._logits(query_tokens[:, None], class_frames[None, :, None])
        of_queries = self._logits(outcome.query, class_tokens[None, :, None, None])
        labels = episode.labels
        return F.cross_entropy(of_classes, labels) + F.cross_entropy(of_queries, labels)

    def _tokens(self, outcome: Outcome) -> tuple[Float[Tensor, "N F"], Float[Tensor, "Q F"]]:
        if self.auxiliary is None:
            return outcome.support.mean((1, 2)), outcome.query.mean(1)
        tokens = outcome.auxiliary_output(self.auxiliary, "LongShortContrast: auxiliary")
        way, shot = outcome.support.shape[:2]
        return tokens[: way * shot].unflatten(0, (way, shot)).mean(1), tokens[way * shot :]

    def _logits(
        self, query: Float[Tensor, "Q S F"], classes: Float[Tensor, "#Q N P S2 F"]
    ) -> Float[Tensor, "Q N"]:
        distances = 1 - frame_cosines(query, classes, self.cosine_eps)
        return -self.scale * distances.sum((-1, -2, -3))
