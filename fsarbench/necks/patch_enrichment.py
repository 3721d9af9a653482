"""Patch-level and frame-level enrichment of STRM (Thatipelli et al., CVPR 2022)."""

from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import BlockIndex, PositiveInt
from fsarbench.episode import VideoFeatures
from fsarbench.interfaces import Neck
from fsarbench.layers import FeedForward, MultiHeadAttention
from fsarbench.registry import NECKS


@NECKS.register_module()
class PatchEnrichment(Neck):
    """Spatio-temporal enrichment module of STRM (Thatipelli et al., CVPR 2022, arXiv 2112.05132).

    Patch level: the patches of each frame attend to each other, followed by a pointwise network,
    both with a skip connection; then they are averaged over the frame. Frame level: a mixer layer
    (Tolstikhin et al., NeurIPS 2021), first over the frames of each channel, then over the channels
    of each frame, both with a skip connection.

    Args:
        width: Token width C of the backbone.
        prefix: Tokens before the patches, which are left out.
        frames: Number of steps S of the backbone.
        out_dim: Width of the output, to which patches are mapped first; None keeps C.
        level: Block of the backbone whose patch tokens are read; -1 is the last one.
        heads: Number of attention heads, a divisor of the output width.
        hidden: Hidden width of the pointwise networks; None is the output width.
        frame_hidden: Hidden width of the network over the frames.

    Raises:
        UserError: `heads` does not divide the output width.

    Example:
        >>> import torch
        >>> neck = PatchEnrichment(6, prefix=1, frames=8, out_dim=4)
        >>> features = VideoFeatures(torch.ones(3, 8, 5), {-1: torch.ones(3, 8, 10, 6)})
        >>> neck(features, None).shape
        torch.Size([3, 8, 4])
    """

    def __init__(
        self,
        width: int,
        prefix: int,
        frames: int,
        out_dim: PositiveInt | None = None,
        level: BlockIndex = -1,
        heads: PositiveInt = 1,
        hidden: PositiveInt | None = None,
        frame_hidden: PositiveInt = 32,
    ) -> None:
        super().__init__()
        self.dim = dim = width if out_dim is None else out_dim
        hidden = dim if hidden is None else hidden
        self.prefix = prefix
        self.level, self.levels = level, (level,)
        self.project = nn.Identity() if out_dim is None else nn.Linear(width, out_dim)
        self.norm_patches, self.norm_points = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = MultiHeadAttention(dim, heads)
        self.points = FeedForward(dim, hidden)
        self.norm_frames, self.norm_channels = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.mix_frames = FeedForward(frames, frame_hidden)
        self.mix_channels = FeedForward(dim, hidden)

    def forward(
        self, features: VideoFeatures, text: Float[Tensor, "V M E"] | None
    ) -> Float[Tensor, "V S F"]:
        """One enriched feature per frame; text is unused."""
        del text
        patches = self.project(features.tokens[self.level][:, :, self.prefix :])
        normed = self.norm_patches(patches)
        patches = patches + self.attention(normed, normed)
        patches = patches + self.points(self.norm_points(patches))
        frames = patches.mean(2)
        mixed = self.mix_frames(self.norm_frames(frames).transpose(1, 2))
        frames = frames + mixed.transpose(1, 2)
        return frames + self.mix_channels(self.norm_channels(frames))
