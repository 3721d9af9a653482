"""Patch-level enrichment of STRM as in the authors' code (Thatipelli et al., CVPR 2022)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from fsarbench.arguments.value_rules import (
    BlockIndex,
    NonNegativeFloat,
    PositiveInt,
    ShareWithZero,
)
from fsarbench.episode import VideoFeatures
from fsarbench.errors import UserError
from fsarbench.interfaces import Neck
from fsarbench.layers import dropout_layer, sinusoids
from fsarbench.registry import NECKS


@NECKS.register_module()
class PatchAttention(Neck):
    """Patch-level enrichment of STRM (Thatipelli et al., CVPR 2022, arXiv 2112.05132).

    The patches of a frame are max-pooled to a smaller grid and get a sinusoidal positional
    encoding. They attend to each other, with a learnable factor that starts at zero, then pass a
    pointwise network of three layers; both have a skip connection. Their mean is the feature of the
    frame.

    Args:
        width: Token width C of the backbone.
        prefix: Tokens before the patches, which are left out.
        level: Block of the backbone whose patch tokens are read; -1 is the last one.
        pool: Patches per side after the pooling.
        position_scale: Factor of the positional encoding.
        dropout: Dropout rate of the patches with their positions.
        norm: Whether patches are layer-normalised first. The authors' code has no norm, for the
            rectified feature maps of a ResNet.

    Example:
        >>> neck = PatchAttention(6, prefix=1)
        >>> features = VideoFeatures(torch.ones(3, 8, 5), {-1: torch.ones(3, 8, 50, 6)})
        >>> neck(features, None).shape
        torch.Size([3, 8, 6])
    """

    def __init__(
        self,
        width: int,
        prefix: int,
        level: BlockIndex = -1,
        pool: PositiveInt = 4,
        position_scale: NonNegativeFloat = 0.1,
        dropout: ShareWithZero = 0.1,
        norm: bool = False,
    ) -> None:
        super().__init__()
        self.dim = width
        self.prefix = prefix
        self.level, self.levels = level, (level,)
        self.pool = pool
        self.position_scale = position_scale
        self.dropout = dropout_layer(dropout)
        self.norm = nn.LayerNorm(width) if norm else nn.Identity()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.share = nn.Parameter(torch.zeros(1))
        half = max(width // 2, 1)
        self.points = nn.Sequential(
            nn.Linear(width, half),
            nn.ReLU(),
            nn.Linear(half, half),
            nn.ReLU(),
            nn.Linear(half, width),
        )

    def forward(
        self, features: VideoFeatures, text: Float[Tensor, "V M E"] | None
    ) -> Float[Tensor, "V S F"]:
        """One enriched feature per frame; text is unused.

        Raises:
            UserError: The patches of a frame form no square.
        """
        del text
        patches = self._pooled(self.norm(features.tokens[self.level][:, :, self.prefix :]))
        patches = self.dropout(patches + self.position_scale * sinusoids(patches))
        # The authors do not scale the products by the width.
        weights = (self.query(patches) @ self.key(patches).transpose(-1, -2)).softmax(-1)
        patches = patches + self.share * (weights @ self.value(patches))
        return (patches + self.points(patches)).mean(2)

    def _pooled(self, patches: Float[Tensor, "V T L C"]) -> Float[Tensor, "V T L2 C"]:
        side = math.isqrt(patches.shape[2])
        if side**2 != patches.shape[2]:
            raise UserError(
                f"PatchAttention: a frame has {patches.shape[2]} patches, which form no square."
            )
        maps = patches.flatten(0, 1).transpose(1, 2).unflatten(2, (side, side))
        pooled = F.adaptive_max_pool2d(maps, self.pool).flatten(2).transpose(1, 2)
        return pooled.unflatten(0, patches.shape[:2])
