"""OTAM: matching along the order of time (Cao et al., CVPR 2020)."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import PositiveFloat
from fsarbench.explanation import MatchExplanation
from fsarbench.functional.otam import Borders, occupancy, otam, otam_both_ways
from fsarbench.functional.pairwise import frame_cosines
from fsarbench.interfaces import Matcher
from fsarbench.registry import MATCHERS

Directions = Literal["both", "one"]


@MATCHERS.register_module()
class OTAM(Matcher):
    """Ordered temporal alignment by smoothed dynamic time warping (Cao et al., CVPR 2020).

    The distance of two frames is 1 minus their cosine. Each of the P prototypes of a class is
    aligned by itself and the costs are averaged.

    Args:
        temperature: How smooth the minimum over alignments is, as a cosine distance; above 0.
        directions: `both` aligns query to prototype and prototype to query and adds the costs,
            `one` only the first.
        borders: Where an alignment may go down a column: `paper` in the padded columns only,
            `field` also in the first real one, as in the code that the field shares.

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
    ) -> None:
        super().__init__()
        self.temperature = temperature
        self.borders = borders
        self.align = otam_both_ways if directions == "both" else otam

    def forward(
        self, query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P T D"]
    ) -> Float[Tensor, "Q N"]:
        """Minus the cost of alignment, a sum over frames."""
        distances = 1 - frame_cosines(query, prototypes)
        return -self.align(distances, self.temperature, self.borders).mean(-1)

    def explain(
        self, query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P T D"]
    ) -> MatchExplanation:
        """The cosines, and how often an alignment goes through each pair of frames."""
        cosines = frame_cosines(query, prototypes)
        visits = occupancy(lambda d: self.align(d, self.temperature, self.borders), 1 - cosines)
        ways = 2 if self.align is otam_both_ways else 1
        caption = "OTAM's alignment: how often a path goes through a pair of frames"
        return MatchExplanation(
            cosines, visits / ways, caption + ", mean of both directions" * (ways == 2)
        )
