"""Motion features of CLIP-CPM2C from differences of frames (Guo et al., Neurocomputing 2025)."""

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.episode import VideoFeatures
from fsarbench.interfaces import Neck
from fsarbench.layers import FrameDifferences
from fsarbench.registry import NECKS


@NECKS.register_module()
class FrameMotion(Neck):
    """Motion compensation of CLIP-CPM2C (Guo et al., Neurocomputing 2025, arXiv 2312.01083).

    The motion after a frame is the mean of the differences to its neighbour in both directions of
    time, where one of the two frames passes convolutions over time.

    Args:
        dim: Feature width D.
        join: Whether the output has the frames and then the motion (2 S - 1 steps), for components
            that process them as two segments, or the motion alone (S - 1 steps).

    Example:
        >>> neck = FrameMotion(4)
        >>> neck(VideoFeatures(torch.ones(3, 8, 4)), None).shape, neck.output_frames(8)
        (torch.Size([3, 15, 4]), 15)
    """

    def __init__(self, dim: int, join: bool = True) -> None:
        super().__init__()
        self.dim = dim
        self.join = join
        self.differences = FrameDifferences(dim)

    def forward(
        self, features: VideoFeatures, text: Float[Tensor, "V M E"] | None
    ) -> Float[Tensor, "V S2 F"]:
        """Frames and motion, or the motion; text is unused."""
        del text
        motion = self.differences(features.frames)
        return torch.cat([features.frames, motion], dim=1) if self.join else motion

    def output_frames(self, frames: int) -> int:
        """2 S - 1 or S - 1."""
        return 2 * frames - 1 if self.join else frames - 1
