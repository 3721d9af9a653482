"""Class tokens of the frames, projected to the width of the backbone's features."""

from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.episode import VideoFeatures
from fsarbench.errors import UserError
from fsarbench.interfaces import Neck
from fsarbench.registry import NECKS


@NECKS.register_module()
class ClassTokens(Neck):
    """Class token of every frame, normalised and projected (TS-FSAR, Long et al., AAAI 2026).

    The tokens are those of the neck that all branches share, or of the backbone's last block. The
    output has the width of the backbone's features, so that it can be compared with text.

    Args:
        width: Token width C.
        prefix: Tokens before the patches; the first one is the class token.
        dim: Feature width D of the backbone.

    Raises:
        UserError: The backbone has no class token.

    Example:
        >>> import torch
        >>> neck = ClassTokens(4, prefix=1, dim=6)
        >>> neck(VideoFeatures(torch.ones(3, 8, 6), {-1: torch.ones(3, 8, 10, 4)}), None).shape
        torch.Size([3, 8, 6])
    """

    levels = (-1,)

    def __init__(self, width: int, prefix: int, dim: int) -> None:
        super().__init__()
        if not prefix:
            raise UserError("ClassTokens reads the class token, and the backbone has none.")
        self.dim = dim
        self.norm = nn.LayerNorm(width)
        self.project = nn.Linear(width, dim, bias=False)

    def forward(
        self, features: VideoFeatures, text: Float[Tensor, "V M E"] | None
    ) -> Float[Tensor, "V S2 F"]:
        """Projected class tokens; text is unused."""
        del text
        return self.project(self.norm(features.tokens[-1][:, :, 0]))
