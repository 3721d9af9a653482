"""Motion features of MoLo from differences of feature maps (Wang et al., CVPR 2023)."""

import math
from collections.abc import Mapping
from typing import Annotated

from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import BlockIndex, NotEmpty, PositiveInt
from fsarbench.episode import VideoFeatures
from fsarbench.errors import UserError
from fsarbench.interfaces import Neck
from fsarbench.necks.long_short import LongShort
from fsarbench.registry import NECKS

Factors = Annotated[tuple[PositiveInt, ...], NotEmpty()]
DECODED = (128, 32, 16)  # channels of the decoder behind each enlargement


@NECKS.register_module()
class MotionDifferences(Neck):
    """Motion autodecoder of MoLo (Wang et al., CVPR 2023, arXiv 2304.00946).

    The patches of every frame, a feature map, are reduced by a convolution over time and space. The
    motion of two neighbouring frames is the reduced map of the second one after a further
    convolution, minus that of the first one. It is mapped back to C channels, rectified, averaged
    over space and given to a transformer with a class token (LongShort). In training a decoder
    rebuilds the differences of the frames' pixels from it.

    Args:
        width: Token width C of the backbone.
        prefix: Tokens before the patches, which are left out.
        level: Block of the backbone whose patch tokens are read; -1 is the last one.
        reduction: Factor by which the convolution reduces the C channels.
        heads: Number of attention heads of the transformer, a divisor of C.
        hidden: Hidden width of the transformer's feed-forward network.
        enlarge: Factors of the decoder's three bilinear enlargements. Their product times the
            patches per side must be the side of a frame in pixels.

    Raises:
        UserError: `reduction` exceeds C, or `enlarge` has not three factors.
    """

    def __init__(
        self,
        width: int,
        prefix: int,
        level: BlockIndex = -1,
        reduction: PositiveInt = 8,
        heads: PositiveInt = 8,
        hidden: PositiveInt = 2048,
        enlarge: Factors = (2, 4, 4),
    ) -> None:
        super().__init__()
        self.dim = width
        self.prefix = prefix
        self.level, self.levels = level, (level,)
        channels = width // reduction
        if not channels:
            raise UserError(
                f"MotionDifferences: reduction is {reduction}, expected at most the token width "
                f"{width}."
            )
        if len(enlarge) != len(DECODED):
            raise UserError(
                f"MotionDifferences: enlarge is {list(enlarge)}, expected {len(DECODED)} factors."
            )
        self.reduce = nn.Conv3d(width, channels, 3, padding=1)
        self.follow = nn.Conv2d(channels, channels, 3, padding=1)
        self.widen = nn.Conv2d(channels, width, 1)
        self.encoder = LongShort(width, heads, hidden)
        self.decoder = decoder(channels, tuple(enlarge))

    def output_frames(self, frames: int) -> int:
        """Number of steps: one less than the number of frames."""
        return frames - 1

    def forward(
        self, features: VideoFeatures, text: Float[Tensor, "V M E"] | None
    ) -> Float[Tensor, "V S2 F"] | tuple[Float[Tensor, "V S2 F"], Mapping[str, Tensor]]:
        """Motion between neighbouring frames; text is unused.

        In training, the auxiliary outputs are `token` "V F", the class token of every video, and
        `reconstruction` "V S2 3 H W", the rebuilt differences of its frames.

        Raises:
            UserError: The patches of a frame form no square.
        """
        motion = self._differences(features.tokens[self.level][:, :, self.prefix :])
        videos, flat = motion.shape[:2], motion.flatten(0, 1)
        steps = self.widen(flat).relu().mean((-1, -2)).unflatten(0, videos)
        encoded = self.encoder(VideoFeatures(steps), text)
        if not self.training:
            return encoded
        frames, further = encoded
        rebuilt = self.decoder(flat).unflatten(0, videos)
        return frames, {**further, "reconstruction": rebuilt}

    def _differences(self, patches: Float[Tensor, "V T L C"]) -> Float[Tensor, "V S2 c h w"]:
        side = math.isqrt(patches.shape[2])
        if side**2 != patches.shape[2]:
            raise UserError(
                f"MotionDifferences: a frame has {patches.shape[2]} patches, which form no square."
            )
        maps = patches.unflatten(2, (side, side)).permute(0, 4, 1, 2, 3)
        reduced = self.reduce(maps).transpose(1, 2)
        followed = self.follow(reduced[:, 1:].flatten(0, 1)).unflatten(0, (len(patches), -1))
        return followed - reduced[:, :-1]


def decoder(channels: int, factors: tuple[int, ...]) -> nn.Sequential:
    """Enlargements with one convolution each, then a map to the three colour channels."""
    layers: list[nn.Module] = []
    for factor, out in zip(factors, DECODED, strict=True):
        layers += [
            nn.Upsample(scale_factor=factor, mode="bilinear", align_corners=True),
            nn.Conv2d(channels, out, 3, padding=1, bias=False),
            # The decoder runs in training only, so no statistics need to be kept.
            nn.BatchNorm2d(out, track_running_stats=False),
            nn.ReLU(),
        ]
        channels = out
    return nn.Sequential(*layers, nn.Conv2d(channels, 3, 1))
