"""Soft-DTW: temporal alignment with fixed ends (Cuturi and Blondel, ICML 2017)."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import PositiveFloat
from fsarbench.explanation import MatchExplanation
from fsarbench.functional.otam import occupancy
from fsarbench.functional.pairwise import frame_cosines
from fsarbench.functional.soft_dtw import soft_dtw
from fsarbench.matchers.frame_cosine import FrameCosineMatcher
from fsarbench.registry import MATCHERS


@MATCHERS.register_module()
class SoftDTW(FrameCosineMatcher):
    """Soft dynamic time warping (Cuturi and Blondel, ICML 2017).

    The distance of two frames is 1 minus their cosine similarity. Unlike in OTAM, a path starts at
    the first frames of both videos and ends at the last frames of both. Each of the P prototypes of
    a class is aligned separately and the costs are averaged.

    Args:
        temperature: Smoothness of the minimum over paths, in cosine distance; above 0.

    Example:
        >>> import torch
        >>> SoftDTW()(torch.ones(2, 8, 4), torch.ones(1, 5, 1, 8, 4)).shape
        torch.Size([2, 5])
    """

    scales_with_frames = True

    def __init__(self, temperature: PositiveFloat = 0.1) -> None:
        super().__init__()
        self.temperature = temperature

    def score(self, cosines: Float[Tensor, "Q N P T S"]) -> Float[Tensor, "Q N"]:
        """Negative cost of the path, a sum over its cells."""
        return -soft_dtw(1 - cosines, self.temperature).mean(-1)

    def explain(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> MatchExplanation:
        """Cosine similarities and the share of warping paths through each pair of frames."""
        cosines = frame_cosines(query, prototypes)
        visits = occupancy(lambda d: soft_dtw(d, self.temperature), 1 - cosines)
        return MatchExplanation(
            cosines, visits, "share of the warping paths through a pair of frames"
        )
