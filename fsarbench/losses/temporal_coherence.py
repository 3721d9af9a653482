"""Temporal coherence of the frames of a video (HyRSM++, Wang et al., arXiv 2301.03330)."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from fsarbench.arguments.value_rules import (
    NonEmptyStr,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
)
from fsarbench.episode import Episode, Outcome
from fsarbench.errors import UserError
from fsarbench.interfaces import Loss
from fsarbench.registry import LOSSES


@LOSSES.register_module()
class TemporalCoherence(Loss):
    """Temporal coherence regularisation of HyRSM++ (Wang et al., arXiv 2301.03330).

    Frames of one video that are close in time are pulled together, the others are pushed apart.
    With d the cosine distance of the frames i and j of one video, a pair inside the window,
    |i - j| <= window, costs d / (1 + (i - j)^2). A pair outside of it costs max(0, m - d), where
    the margin m = 1 - exp(-(|i - j| - window)^2 / balance) grows with the distance in time.

    Args:
        weight: Factor of the loss in the total loss.
        reads: Features of the videos. `matched` are those that the matcher compares: prototypes in
            place of the support videos, and queries. `backbone` are those of the backbone, or of
            the neck of `branch`. Any other name is an auxiliary output with the axes "V S F", such
            as `attended` of HybridRelation.
        window: Largest distance in time, in steps, of frames that are pulled together.
        balance: Squared distance beyond the window at which the margin is 1 - 1 / e.
        outside: Factor of the pairs outside the window.
    """

    def __init__(
        self,
        weight: NonNegativeFloat = 1.0,
        reads: NonEmptyStr = "matched",
        window: NonNegativeInt = 1,
        balance: PositiveFloat = 8.0,
        outside: NonNegativeFloat = 1.0,
    ) -> None:
        super().__init__()
        self.weight = weight
        self.reads = reads
        self.window = window
        self.balance = balance
        self.outside = outside

    def forward(self, outcome: Outcome, episode: Episode) -> Float[Tensor, ""]:
        """Mean over the frame pairs of the support, plus mean over those of the queries.

        Raises:
            UserError: The model has no features of the chosen name.
        """
        del episode
        support, query = self._videos(outcome)
        return self._cost(support) + self._cost(query)

    def _videos(self, outcome: Outcome) -> tuple[Float[Tensor, "_ S F"], Float[Tensor, "Q S F"]]:
        if self.reads == "backbone":
            return outcome.support.flatten(0, 1), outcome.query
        if self.reads == "matched":
            if outcome.prototypes is None or outcome.matched is None:
                raise UserError(
                    "TemporalCoherence: reads='matched' needs the prototypes of one matcher. Name "
                    "one branch of the model (branch=...), or choose reads='backbone'."
                )
            return outcome.prototypes.flatten(0, 2), outcome.matched
        videos = outcome.auxiliary_output(self.reads, "TemporalCoherence: reads")
        count = outcome.support.shape[:2].numel()
        return videos[:count], videos[count:]

    def _cost(self, videos: Float[Tensor, "V S F"]) -> Float[Tensor, ""]:
        unit = F.normalize(videos, dim=-1)
        distances = 1 - unit @ unit.transpose(-1, -2)
        steps = torch.arange(videos.shape[1], device=videos.device, dtype=videos.dtype)
        gaps = (steps[:, None] - steps).abs()
        margins = 1 - (-(gaps - self.window).square() / self.balance).exp()
        near = distances / (1 + gaps.square())
        far = self.outside * F.relu(margins - distances)
        return torch.where(gaps <= self.window, near, far).mean()
