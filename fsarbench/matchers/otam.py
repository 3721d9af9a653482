"""OTAM: ordered temporal alignment (Cao et al., CVPR 2020)."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import NonNegativeFloat, PositiveFloat
from fsarbench.explanation import MatchExplanation
from fsarbench.functional.otam import Borders, occupancy, otam, otam_both_ways
from fsarbench.functional.pairwise import frame_cosines
from fsarbench.matchers.frame_cosine import FrameCosineMatcher
from fsarbench.registry import MATCHERS

Directions = Literal["both", "one"]
# A cosine distance is at most 2, and rounding adds less than this.
LARGEST_DISTANCE = 2.01


@MATCHERS.register_module()
class OTAM(FrameCosineMatcher):
    """Ordered temporal alignment by smoothed dynamic time warping (Cao et al., CVPR 2020).

    The distance of two frames is 1 minus their cosine similarity. Each of the P prototypes of a
    class is aligned separately and the costs are averaged.

    Args:
        temperature: Smoothness of the minimum over alignments, in cosine distance; above 0.
        directions: `both` adds the costs of aligning the query to the prototype and the prototype
            to the query; `one` uses only the first.
        borders: Columns in which an alignment may move down: `paper` only in the padded columns,
            `field` also in the first real column, as in the published code of several methods.
        cosine_eps: Term added to the product of the norms in the cosine; the published code of
            several methods adds 0.01.

    Example:
        >>> import torch
        >>> OTAM(temperature=0.1)(torch.ones(2, 8, 4), torch.ones(1, 5, 1, 8, 4)).shape
        torch.Size([2, 5])
    """

    scales_with_frames = True

    def __init__(
        self,
        temperature: PositiveFloat = 0.1,
        directions: Directions = "both",
        borders: Borders = "field",
        cosine_eps: NonNegativeFloat = 0.0,
    ) -> None:
        super().__init__()
        self.temperature = temperature
        self.borders = borders
        self.cosine_eps = cosine_eps
        self.align = otam_both_ways if directions == "both" else otam

    def score(self, cosines: Float[Tensor, "Q N P T S"]) -> Float[Tensor, "Q N"]:
        """Negative cost of the alignment, a sum over frames."""
        costs = self.align(1 - cosines, self.temperature, self.borders, LARGEST_DISTANCE)
        return -costs.mean(-1)

    def explain(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> MatchExplanation:
        """Cosine similarities and the share of alignment paths through each pair of frames."""
        cosines = frame_cosines(query, prototypes, self.cosine_eps)
        visits = occupancy(
            lambda d: self.align(d, self.temperature, self.borders, LARGEST_DISTANCE), 1 - cosines
        )
        directions = 2 if self.align is otam_both_ways else 1
        caption = "OTAM's alignment: share of the paths through a pair of frames"
        return MatchExplanation(
            cosines, visits / directions, caption + ", mean of both directions" * (directions == 2)
        )
