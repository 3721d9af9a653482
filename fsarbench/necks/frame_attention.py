"""Attention over the frames of a video in a weighted sum with its input (TS-FSAR, AAAI 2026)."""

from typing import Annotated

from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import AtLeast, AtMost, PositiveInt
from fsarbench.episode import VideoFeatures
from fsarbench.interfaces import Neck
from fsarbench.layers import MultiHeadAttention
from fsarbench.registry import NECKS

Share = Annotated[float, AtLeast(0), AtMost(2)]


@NECKS.register_module()
class FrameAttention(Neck):
    """Adapter of the frozen CLIP's frames in TS-FSAR (Long et al., AAAI 2026, arXiv 2512.11340).

    The frames of a video attend to each other, without positions. The output is the sum of the
    attention, times `share`, and of the frames, times 2 - `share`.

    Args:
        dim: Feature width D.
        heads: Number of attention heads, a divisor of `dim`.
        share: Factor of the attention, 0 to 2.

    Raises:
        UserError: `heads` does not divide `dim`.

    Example:
        >>> import torch
        >>> FrameAttention(4, heads=2)(VideoFeatures(torch.ones(3, 8, 4)), None).shape
        torch.Size([3, 8, 4])
    """

    def __init__(self, dim: int, heads: PositiveInt = 8, share: Share = 1.6) -> None:
        super().__init__()
        self.dim = dim
        self.share = share
        self.norm = nn.LayerNorm(dim)
        self.attention = MultiHeadAttention(dim, heads)

    def forward(
        self, features: VideoFeatures, text: Float[Tensor, "V M E"] | None
    ) -> Float[Tensor, "V S2 F"]:
        """Frames after attention to each other; text is unused."""
        del text
        normed = self.norm(features.frames)
        mixed = self.attention(normed, normed)
        return (2 - self.share) * features.frames + self.share * mixed
