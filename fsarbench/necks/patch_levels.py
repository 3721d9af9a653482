"""Frame features from the tokens of several blocks."""

from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import BlockIndex, NotEmpty
from fsarbench.episode import VideoFeatures
from fsarbench.errors import UserError
from fsarbench.interfaces import Neck
from fsarbench.registry import NECKS

Join = Literal["sum", "steps", "width"]
Levels = Annotated[tuple[BlockIndex, ...], NotEmpty()]


@NECKS.register_module()
class PatchLevels(Neck):
    """Patch tokens of several blocks, averaged over the frame, normalised and projected.

    Args:
        dim: Feature width D; each level is projected to it.
        width: Token width C of the backbone.
        prefix: Tokens before the patches, which are left out.
        levels: Blocks of the backbone whose patch tokens are read; negative indices count from the
            end.
        join: How levels and the backbone's features are joined: `sum` adds them (S steps of width
            D), `steps` puts them one after the other (S steps per level and S of the backbone),
            `width` concatenates them (S steps of width D per level and D of the backbone).

    Raises:
        UserError: A level stands twice.

    Example:
        >>> neck = PatchLevels(4, width=6, prefix=1, levels=(0, -1), join="steps")
        >>> tokens = {level: torch.ones(3, 8, 10, 6) for level in (0, -1)}
        >>> neck(VideoFeatures(torch.ones(3, 8, 4), tokens), None).shape, neck.output_frames(8)
        (torch.Size([3, 24, 4]), 24)
    """

    def __init__(
        self, dim: int, width: int, prefix: int, levels: Levels = (-1,), join: Join = "sum"
    ) -> None:
        super().__init__()
        self.levels = tuple(levels)
        if len(set(self.levels)) < len(self.levels):
            raise UserError(f"PatchLevels: levels is {list(levels)}, expected each block once.")
        self.join = join
        self.dim = dim * (1 + len(self.levels)) if join == "width" else dim
        self.prefix = prefix
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in self.levels)
        self.projections = nn.ModuleList(nn.Linear(width, dim) for _ in self.levels)

    def forward(
        self, features: VideoFeatures, text: Float[Tensor, "V M E"] | None
    ) -> Float[Tensor, "V S2 F"]:
        """Joined features of the backbone and of the levels; text is unused."""
        del text
        parts = [features.frames]
        layers = zip(self.levels, self.norms, self.projections, strict=True)
        for level, norm, project in layers:
            parts.append(project(norm(features.tokens[level][:, :, self.prefix :].mean(2))))
        if self.join == "sum":
            return torch.stack(parts).sum(0)
        return torch.cat(parts, dim=1 if self.join == "steps" else 2)

    def output_frames(self, frames: int) -> int:
        """S, or with `steps` S per level and S of the backbone."""
        return frames * (1 + len(self.levels)) if self.join == "steps" else frames
