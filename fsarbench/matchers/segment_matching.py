"""Matching of videos whose steps are several segments, each matched by itself."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import NonNegativeFloat, PositiveFloat, PositiveInt
from fsarbench.errors import UserError
from fsarbench.explanation import MatchExplanation
from fsarbench.functional.pairwise import frame_cosines
from fsarbench.matchers.bi_mhm import BiMHM
from fsarbench.matchers.frame_cosine import FrameCosineMatcher
from fsarbench.matchers.otam import OTAM
from fsarbench.registry import MATCHERS

Measure = Literal["otam", "bi_mhm"]


@MATCHERS.register_module()
class SegmentMatching(FrameCosineMatcher):
    """Weighted sum of the scores of segments, such as frames and motion (CLIP-CPM2C, CLIP-SPM).

    The steps of a video are several sequences, one after the other. Each sequence of a query is
    compared with the same sequence of a prototype, by OTAM or by Bi-MHM.

    Args:
        segments: Number of segments: consecutive steps, of equal length or, where their number
            does not divide that of the steps, the first ones longer by one step.
        weights: Factor of the score of each segment; None is 1 for all.
        measure: Matcher of a segment.
        temperature: Temperature of OTAM.
        cosine_eps: Term added to the product of the norms in the cosine.

    Raises:
        UserError: There are not as many weights as segments.

    Example:
        >>> matcher = SegmentMatching(segments=2, weights=[1.0, 0.5])
        >>> matcher(torch.ones(2, 15, 4), torch.ones(1, 5, 1, 15, 4)).shape
        torch.Size([2, 5])
    """

    scales_with_frames = True

    def __init__(
        self,
        segments: PositiveInt = 1,
        weights: Sequence[NonNegativeFloat] | None = None,
        measure: Measure = "otam",
        temperature: PositiveFloat = 0.1,
        cosine_eps: NonNegativeFloat = 0.0,
    ) -> None:
        super().__init__()
        self.weights = (1.0,) * segments if weights is None else tuple(weights)
        if len(self.weights) != segments:
            raise UserError(
                f"SegmentMatching: weights is {list(self.weights)}, expected one for each of the "
                f"{segments} segments."
            )
        self.cosine_eps = cosine_eps
        self.measure: OTAM | BiMHM = (
            OTAM(temperature, cosine_eps=cosine_eps)
            if measure == "otam"
            else BiMHM(cosine_eps=cosine_eps)
        )

    def score(self, cosines: Float[Tensor, "Q N P T S"]) -> Float[Tensor, "Q N"]:
        """Weighted sum of the scores of the segments."""
        parts = zip(*(self._slices(steps) for steps in cosines.shape[-2:]), strict=True)
        scores = [
            weight * self.measure.score(cosines[..., rows, columns])
            for weight, (rows, columns) in zip(self.weights, parts, strict=True)
        ]
        return torch.stack(scores).sum(0)

    def explain(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> MatchExplanation:
        """Cosine similarities, and the weights of the measure times that of the segment."""
        cosines = frame_cosines(query, prototypes, self.cosine_eps)
        shares, caption = torch.zeros_like(cosines), ""
        parts = self._slices(query.shape[1])
        for weight, part in zip(self.weights, parts, strict=True):
            own = self.measure.explain(query[:, part], prototypes[..., part, :])
            assert own.weights is not None
            shares[..., part, part] = weight * own.weights
            caption = own.caption
        return MatchExplanation(cosines, shares, f"{caption}; each segment by itself")

    def _slices(self, steps: int) -> Iterator[slice]:
        """Steps of each segment.

        Raises:
            UserError: There are fewer steps than segments.
        """
        segments = len(self.weights)
        if steps < segments:
            raise UserError(
                f"SegmentMatching: segments is {segments}, and a video has {steps} steps."
            )
        lengths = [steps // segments + (number < steps % segments) for number in range(segments)]
        ends = accumulate(lengths)
        return (slice(end - length, end) for end, length in zip(ends, lengths, strict=True))
