"""Frame-level enrichment of STRM as in the authors' code (Thatipelli et al., CVPR 2022)."""

from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import NonNegativeFloat, PositiveInt, ShareWithZero
from fsarbench.episode import VideoFeatures
from fsarbench.interfaces import Neck
from fsarbench.layers import dropout_layer, sinusoids
from fsarbench.registry import NECKS


@NECKS.register_module()
class FrameMixer(Neck):
    """Frame-level enrichment of STRM (Thatipelli et al., CVPR 2022, arXiv 2112.05132).

    Frames get a sinusoidal positional encoding. A network of two layers then mixes the frames of
    each channel, and a second one the channels of each frame (Tolstikhin et al., NeurIPS 2021).
    Both have a skip connection.

    Args:
        dim: Feature width D.
        frames: Number of steps S.
        hidden: Hidden width of the network over the channels; None is `dim`.
        frame_hidden: Hidden width of the network over the frames; None is `frames`.
        position_scale: Factor of the positional encoding.
        dropout: Dropout rate of the frames with their positions.

    Example:
        >>> import torch
        >>> FrameMixer(4, frames=8)(VideoFeatures(torch.ones(3, 8, 4)), None).shape
        torch.Size([3, 8, 4])
    """

    def __init__(
        self,
        dim: int,
        frames: int,
        hidden: PositiveInt | None = None,
        frame_hidden: PositiveInt | None = None,
        position_scale: NonNegativeFloat = 0.1,
        dropout: ShareWithZero = 0.1,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.position_scale = position_scale
        self.dropout = dropout_layer(dropout)
        self.mix_frames = rectified(frames, frames if frame_hidden is None else frame_hidden)
        self.mix_channels = rectified(dim, dim if hidden is None else hidden)

    def forward(
        self, features: VideoFeatures, text: Float[Tensor, "V M E"] | None
    ) -> Float[Tensor, "V S F"]:
        """Mixed frames; text is unused."""
        del text
        frames = features.frames
        frames = self.dropout(frames + self.position_scale * sinusoids(frames))
        frames = frames + self.mix_frames(frames.transpose(1, 2)).transpose(1, 2)
        return frames + self.mix_channels(frames)


def rectified(dim: int, hidden: int) -> nn.Sequential:
    """Network of two linear layers with a ReLU between them."""
    return nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, dim))
