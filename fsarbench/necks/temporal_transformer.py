"""Transformer over the frames of each video, optionally with a class token."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import PositiveInt, ShareWithZero
from fsarbench.episode import VideoFeatures
from fsarbench.interfaces import Neck
from fsarbench.layers import TransformerLayer
from fsarbench.registry import NECKS

Output = Literal["all", "frames", "class_token"]


@NECKS.register_module()
class TemporalTransformer(Neck):
    """Pre-norm transformer over the frames of each video (Vaswani et al., NeurIPS 2017).

    A learnable position, initialised to zero, is added to every frame.

    Args:
        dim: Feature width D.
        frames: Number of steps S of the backbone.
        depth: Number of layers.
        heads: Number of attention heads, a divisor of `dim`.
        hidden: Hidden width of the feed-forward network; None is 4 times `dim`.
        dropout: Dropout rate.
        class_token: Whether a learnable class token comes before the frames, as a summary of the
            video.
        output: Steps of the output with a class token: `all` (class token and frames, S + 1),
            `frames` (S) or `class_token` (1).

    Raises:
        UserError: `heads` does not divide `dim`.

    Example:
        >>> neck = TemporalTransformer(4, frames=8, heads=2, class_token=True)
        >>> neck(VideoFeatures(torch.ones(3, 8, 4)), None).shape, neck.output_frames(8)
        (torch.Size([3, 9, 4]), 9)
    """

    def __init__(
        self,
        dim: int,
        frames: int,
        depth: PositiveInt = 1,
        heads: PositiveInt = 8,
        hidden: PositiveInt | None = None,
        dropout: ShareWithZero = 0.1,
        class_token: bool = False,
        output: Output = "all",
    ) -> None:
        super().__init__()
        self.dim = dim
        self.output: Output = output if class_token else "frames"
        self.position = nn.Parameter(torch.zeros(frames, dim))
        self.class_token = nn.Parameter(torch.randn(1, dim) * 0.02) if class_token else None
        hidden = 4 * dim if hidden is None else hidden
        self.layers = nn.ModuleList(
            TransformerLayer(dim, heads, hidden, dropout, pre_norm=True) for _ in range(depth)
        )

    def forward(
        self, features: VideoFeatures, text: Float[Tensor, "V M E"] | None
    ) -> Float[Tensor, "V S2 F"]:
        """Steps after attention to each other; text is unused."""
        del text
        steps = features.frames + self.position
        if self.class_token is not None:
            steps = torch.cat([self.class_token.expand(len(steps), 1, -1), steps], dim=1)
        for layer in self.layers:
            steps = layer(steps, steps)
        if self.class_token is None or self.output == "all":
            return steps
        return steps[:, :1] if self.output == "class_token" else steps[:, 1:]

    def output_frames(self, frames: int) -> int:
        """S, S + 1 or 1."""
        return {"frames": frames, "all": frames + 1, "class_token": 1}[self.output]
