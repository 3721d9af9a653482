"""Consistency of features with and without the text of the class (CLIP-CPM2C, CLIP-SPM)."""

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import NonEmptyStr, NonNegativeFloat
from fsarbench.episode import Episode, Outcome
from fsarbench.interfaces import Loss
from fsarbench.registry import LOSSES


@LOSSES.register_module()
class Consistency(Loss):
    """Squared distance of two versions of the features of a video (CLIP-CPM2C, arXiv 2312.01083).

    A prototype builder gives the difference of both versions in training, for example the features
    with the text of the class minus those with what replaces the text at test.

    Args:
        weight: Factor of the loss in the total loss.
        reads: First part of the names of two auxiliary outputs: `NAME_support` "V ..." and
            `NAME_query` "Q ...", or "Q N ..." with the difference for the text of each class, of
            which that of the query's own class counts.
        support_weight: Factor of the support videos.
        query_weight: Factor of the queries.
    """

    def __init__(
        self,
        weight: NonNegativeFloat = 1.0,
        reads: NonEmptyStr = "consistency",
        support_weight: NonNegativeFloat = 1.0,
        query_weight: NonNegativeFloat = 1.0,
    ) -> None:
        super().__init__()
        self.weight = weight
        self.reads = reads
        self.support_weight = support_weight
        self.query_weight = query_weight

    def forward(self, outcome: Outcome, episode: Episode) -> Float[Tensor, ""]:
        """Weighted sum of the means over support videos and over queries.

        Raises:
            UserError: The model gives no auxiliary outputs of the chosen name.
        """
        support, query = (
            outcome.auxiliary_output(f"{self.reads}_{part}", "Consistency: reads")
            for part in ("support", "query")
        )
        if query.ndim > support.ndim:
            query = query[torch.arange(len(query), device=query.device), episode.labels]
        of_support, of_query = (part.square().flatten(1).sum(1).mean() for part in (support, query))
        return self.support_weight * of_support + self.query_weight * of_query
