"""Bi-MHM: distance of each frame to its nearest frame (HyRSM, Wang et al., CVPR 2022)."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import NonNegativeFloat
from fsarbench.explanation import MatchExplanation
from fsarbench.functional.hausdorff import mean_hausdorff, nearest, sum_hausdorff
from fsarbench.functional.pairwise import frame_cosines
from fsarbench.matchers.frame_cosine import FrameCosineMatcher
from fsarbench.registry import MATCHERS

Reduction = Literal["sum", "mean"]


@MATCHERS.register_module()
class BiMHM(FrameCosineMatcher):
    """Bidirectional mean Hausdorff metric (HyRSM, Wang et al., CVPR 2022), without temporal order.

    The distance of two frames is 1 minus their cosine similarity. Each of the P prototypes of a
    class is matched separately and the distances are averaged.

    Args:
        reduction: `sum` adds the minimum distances over the frames of a video, as in the authors'
            code; `mean` averages them, as in their paper.
        cosine_eps: Term added to the product of the norms in the cosine; the code of MoLo (Wang et
            al., CVPR 2023) adds 0.01, HyRSM's adds nothing.

    Example:
        >>> import torch
        >>> BiMHM()(torch.ones(2, 8, 4), torch.ones(1, 5, 1, 8, 4)).shape
        torch.Size([2, 5])
    """

    def __init__(self, reduction: Reduction = "sum", cosine_eps: NonNegativeFloat = 0.0) -> None:
        super().__init__()
        self.cosine_eps = cosine_eps
        self.scales_with_frames = reduction == "sum"
        self.measure = sum_hausdorff if reduction == "sum" else mean_hausdorff

    def score(self, cosines: Float[Tensor, "Q N P T S"]) -> Float[Tensor, "Q N"]:
        """Negative distance of the two sets of frames."""
        return -self.measure(1 - cosines).mean(-1)

    def explain(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> MatchExplanation:
        """Cosine similarities and nearest frames."""
        cosines = frame_cosines(query, prototypes, self.cosine_eps)
        caption = "nearest frames: 1 if each is the other's nearest frame, 0.5 if only one is"
        return MatchExplanation(cosines, nearest(1 - cosines), caption)
