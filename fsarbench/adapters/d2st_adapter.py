"""D2ST-Adapter (Pei et al., ICCV 2025, arXiv 2312.01431)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.errors import UserError
from fsarbench.interfaces import Adapter, Block, TrunkSection
from fsarbench.layers import TemporalEmbedding, is_norm
from fsarbench.registry import ADAPTERS

Triple = tuple[PositiveInt, PositiveInt, PositiveInt]
Window = tuple[Triple, Triple]
# Kernel and stride over frames, rows and columns, published for 8 frames of 14 x 14 patches.
SPATIAL: Window = ((4, 5, 5), (4, 3, 3))
TEMPORAL: Window = ((1, 7, 7), (1, 7, 7))
# Largest offset of a sampling point along an axis with n points: min(1, FACTOR / n).
FACTOR = 2.0


@ADAPTERS.register_module()
class D2STAdapter(Adapter):
    """Bottleneck after the block with deformable attention in a spatial and a temporal pathway.

    The patches of a clip are a volume "T h w". Each pathway samples a few points of the volume, at
    positions that depend on the input, and all tokens attend to them. The spatial pathway has few
    points in time and many in space, the temporal pathway the reverse.

    Args:
        width: Token width C, filled in from the backbone.
        frames: Frames T of a clip, filled in from the config.
        grid: Patches per side of a frame, filled in from the backbone.
        reduction: Token width divided by the hidden width.
        heads: Attention heads; each has its own sampling points.
        spatial: Kernel and stride of the spatial pathway's sampling points over frames, rows and
            columns. None is the published [[4, 5, 5], [4, 3, 3]], with each kernel size limited to
            half of its axis and each stride to its kernel size.
        temporal: The same of the temporal pathway; None is [[1, 7, 7], [1, 7, 7]].
        as_released: Whether the output passes a second GELU, the class token and the norm after the
            last block are trainable, and the temporal embedding is added before CLIP's norm in
            front of the blocks, as in the released code.

    Raises:
        UserError: `heads` does not divide the hidden width, or a kernel exceeds the volume.
    """

    def __init__(
        self,
        width: int,
        frames: int,
        grid: int,
        reduction: PositiveInt = 4,
        heads: PositiveInt = 4,
        spatial: Window | None = None,
        temporal: Window | None = None,
        as_released: bool = True,
    ) -> None:
        super().__init__()
        hidden = width // reduction
        if hidden < 1 or hidden % heads:
            raise UserError(f"heads={heads} must divide the hidden width {width} // {reduction}.")
        self.width, self.frames, self.grid = width, frames, grid
        self.as_released = as_released
        volume = (frames, grid, grid)
        self.down, self.up = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.position = nn.Conv3d(hidden, hidden, 3, padding=1, groups=hidden)
        self.spatial = DeformableAttention(
            hidden, heads, *window("spatial", spatial, SPATIAL, volume)
        )
        self.temporal = DeformableAttention(
            hidden, heads, *window("temporal", temporal, TEMPORAL, volume)
        )
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def entry(self) -> nn.Module | None:
        """Temporal embedding."""
        return TemporalEmbedding(self.frames, self.width, before_norm=self.as_released)

    def trains(self, part: TrunkSection, name: str, owner: nn.Module) -> bool:
        """Whether a parameter is the class token or in the norm after the last block."""
        token = part == "embed" and name.endswith(("class_embedding", "cls_token"))
        return self.as_released and (token or (part == "pool" and is_norm(owner)))

    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """Tokens after the block and the adapter."""
        del text
        tokens = block(tokens)
        hidden = self.with_positions(F.gelu(self.down(tokens)), block.prefix)
        patches = (block.prefix, self.grid)
        attended = self.spatial(hidden, *patches) + self.temporal(hidden, *patches)
        # The mean of the two pathways, each with its skip connection.
        change = self.up(F.gelu(hidden + attended / 2))
        return tokens + (F.gelu(change) if self.as_released else change)

    def with_positions(
        self, hidden: Float[Tensor, "V T L H"], prefix: int
    ) -> Float[Tensor, "V T L H"]:
        """Tokens with the convolutional positional encoding added to the patches."""
        volume = hidden[:, :, prefix:].unflatten(2, (self.grid, self.grid)).movedim(-1, 1)
        encoding = self.position(volume).movedim(1, -1).flatten(2, 3)
        return hidden + F.pad(encoding, (0, 0, prefix, 0))


class DeformableAttention(nn.Module):
    """Attention of all tokens of a clip to points sampled from the volume of its patches.

    Args:
        width: Token width H.
        heads: Attention heads; each has its own sampling points.
        kernel: Kernel of the offset network over frames, rows and columns.
        stride: Stride of the offset network, one sampling point per step.
    """

    def __init__(self, width: int, heads: int, kernel: Triple, stride: Triple) -> None:
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        size = width // heads
        self.norm = nn.LayerNorm(width)
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)
        # The heads share one offset network.
        self.offset_conv = nn.Conv3d(size, size, kernel, stride, groups=size)
        self.offset_norm = nn.LayerNorm(size)
        self.offset_out = nn.Linear(size, 3, bias=False)

    def forward(
        self, tokens: Float[Tensor, "V T L H"], prefix: int, grid: int
    ) -> Float[Tensor, "V T L H"]:
        """Attention output without a skip connection.

        Args:
            tokens: All tokens of the clips.
            prefix: Number of tokens before the patches, which attend but are not sampled.
            grid: Patches per side of a frame.
        """
        normed = self.norm(tokens)
        queries = self.query(normed)
        positions = self.positions(self.volume(queries[:, :, prefix:], grid))
        sampled = self.sample(self.volume(normed[:, :, prefix:], grid), positions)
        keys, values = self.split(self.key(sampled)), self.split(self.value(sampled))
        scores = self.split(queries.flatten(1, 2)) @ keys.transpose(-1, -2)
        mixed = (scores * self.scale).softmax(-1) @ values
        return self.out(mixed.transpose(1, 2).flatten(2)).unflatten(1, tokens.shape[1:3])

    def split(self, tokens: Float[Tensor, "V S H"]) -> Float[Tensor, "V heads S d"]:
        """Tokens of each head."""
        return tokens.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def volume(self, patches: Float[Tensor, "V T p H"], grid: int) -> Float[Tensor, "X d T h w"]:
        """Patches as one volume per clip and head (X = V heads)."""
        heads = patches.unflatten(-1, (self.heads, -1)).unflatten(2, (grid, grid))
        return heads.permute(0, 4, 5, 1, 2, 3).flatten(0, 1)

    def positions(self, queries: Float[Tensor, "X d T h w"]) -> Float[Tensor, "X t i j 3"]:
        """Sampling points: a regular grid in [-1, 1] plus learned offsets (frame, row, column)."""
        hidden = F.gelu(self.offset_norm(self.offset_conv(queries).movedim(1, -1)))
        points = hidden.shape[1:4]
        axes = [centres(count, queries) for count in points]
        regular = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
        limits = regular.new_tensor([min(1.0, FACTOR / count) for count in points])
        return regular + self.offset_out(hidden).tanh() * limits

    def sample(
        self, volume: Float[Tensor, "X d T h w"], positions: Float[Tensor, "X t i j 3"]
    ) -> Float[Tensor, "V S H"]:
        """Trilinear samples of the volume, zero outside; the heads are joined again."""
        # grid_sample takes positions as (column, row, frame).
        sampled = F.grid_sample(volume, positions.flip(-1).to(volume.dtype), align_corners=True)
        return sampled.flatten(2).unflatten(0, (-1, self.heads)).flatten(1, 2).transpose(1, 2)


def centres(count: int, like: Tensor) -> Float[Tensor, " count"]:
    """Centres of equal intervals of [-1, 1].

    Example:
        >>> centres(2, torch.zeros(()))
        tensor([-0.5000,  0.5000])
    """
    steps = torch.arange(count, device=like.device, dtype=like.dtype)
    return (2 * steps + 1) / count - 1


def window(name: str, given: Window | None, published: Window, volume: Sequence[int]) -> Window:
    """Kernel and stride that fit a volume.

    Args:
        name: Name of the pathway, for the message.
        given: Kernel and stride of the config.
        published: Those of the released code, used if the config has none.
        volume: Frames, rows and columns.

    Raises:
        UserError: The given kernel exceeds the volume.

    Example:
        >>> window("spatial", None, SPATIAL, (8, 4, 4))
        ((4, 2, 2), (4, 2, 2))
    """
    if given is None:
        half = [max(1, size // 2) for size in volume]
        kernel = [min(pair) for pair in zip(published[0], half, strict=True)]
        stride = [min(pair) for pair in zip(published[1], kernel, strict=True)]
        return (kernel[0], kernel[1], kernel[2]), (stride[0], stride[1], stride[2])
    # A grid of 0 is a network without patches, which reports that it takes no such adapter.
    if volume[1] and any(size > limit for size, limit in zip(given[0], volume, strict=True)):
        raise UserError(
            f"the kernel {list(given[0])} of {name} exceeds the {list(volume)} frames, rows and "
            "columns of patches; choose a smaller one, or None for the default."
        )
    return given
