"""Temporal transformer of MoLo with a class token (Wang et al., CVPR 2023)."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import (
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    ShareWithZero,
)
from fsarbench.episode import VideoFeatures
from fsarbench.interfaces import Neck
from fsarbench.layers import LayerAsReleased, dropout_layer, squared_frequencies
from fsarbench.registry import NECKS


@NECKS.register_module()
class LongShort(Neck):
    """Long and short features of MoLo (Wang et al., CVPR 2023, arXiv 2304.00946).

    A learnable class token and the frames of a video attend to each other and are rectified. The
    frames are the output, the short features. The token is the long feature, which the loss
    LongShortContrast compares with the frames of other videos.

    Args:
        dim: Feature width D.
        heads: Number of attention heads, a divisor of `dim`.
        hidden: Hidden width of the feed-forward network; 2048 in the authors' code for every `dim`.
        depth: Number of layers.
        dropout: Dropout rate; None takes the rates of the authors' code: 0.1 for the features with
            their positions, 0.2 after the attention, 0.05 in the feed-forward network.
        feature_scale: Factor of the features before the positional encoding is added; None is
            sqrt(dim / 10).
        position_scale: Factor of the positional encoding.

    Raises:
        UserError: `heads` does not divide `dim`.

    Example:
        >>> frames, further = LongShort(4, heads=2)(VideoFeatures(torch.ones(3, 8, 4)), None)
        >>> frames.shape, further["token"].shape
        (torch.Size([3, 8, 4]), torch.Size([3, 4]))
    """

    def __init__(
        self,
        dim: int,
        heads: PositiveInt = 8,
        hidden: PositiveInt = 2048,
        depth: PositiveInt = 1,
        dropout: ShareWithZero | None = None,
        feature_scale: PositiveFloat | None = None,
        position_scale: NonNegativeFloat = 1.0,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.scale = (dim / 10) ** 0.5 if feature_scale is None else feature_scale
        self.position_scale = position_scale
        steps, *rates = (0.1, 0.2, 0.05) if dropout is None else (dropout,) * 3
        self.dropout = dropout_layer(steps)
        self.token = nn.Parameter(torch.randn(1, dim))
        self.layers = nn.ModuleList(
            LayerAsReleased(dim, heads, hidden, *rates) for _ in range(depth)
        )

    def forward(
        self, features: VideoFeatures, text: Float[Tensor, "V M E"] | None
    ) -> Float[Tensor, "V S2 F"] | tuple[Float[Tensor, "V S2 F"], Mapping[str, Tensor]]:
        """Frames after attention; text is unused.

        In training, the auxiliary output `token` "V F" is the class token of every video.
        """
        del text
        token = self.token.expand(len(features.frames), 1, -1)
        steps = torch.cat([token, features.frames], dim=1)
        positions = self.position_scale * squared_frequencies(steps)
        steps = self.dropout(self.scale * steps + positions)
        for layer in self.layers:
            steps = layer(steps, steps)
        steps = steps.relu()
        return (steps[:, 1:], {"token": steps[:, 0]}) if self.training else steps[:, 1:]
