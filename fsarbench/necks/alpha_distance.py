"""Alpha-distance matrices of a frame's channels (TS-FSAR, Long et al., AAAI 2026)."""

from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from fsarbench.arguments.value_rules import Above, AtMost, PositiveFloat
from fsarbench.episode import VideoFeatures
from fsarbench.errors import UserError
from fsarbench.functional.distance_correlation import alpha_distance_matrix, upper_triangle
from fsarbench.interfaces import Neck
from fsarbench.registry import NECKS

Power = Annotated[float, Above(0), AtMost(2)]


@NECKS.register_module()
class AlphaDistance(Neck):
    """Alpha-distance matrix of every frame (TS-FSAR, Long et al., AAAI 2026, arXiv 2512.11340).

    Each patch of a frame is multiplied by its cosine with the class token. The channels are the
    variables and the patches the observations: the distances of all pairs of channels to the power
    alpha, doubly centred, describe the frame. The cosine of two frames is then their
    alpha-distance correlation. The output of a frame is the upper triangle of the matrix, followed
    by the class token, from which TaskSpecificMatching computes its weights.

    The tokens are those of the neck that all branches share, or of the backbone's last block.

    Args:
        width: Token width C.
        prefix: Tokens before the patches; the first one is the class token.
        alpha: Power of the distances, above 0 and at most 2.
        eps: Term added to the squared distances.

    Raises:
        UserError: The backbone has no class token.

    Example:
        >>> neck = AlphaDistance(4, prefix=1)
        >>> neck(VideoFeatures(torch.ones(3, 8, 5), {-1: torch.ones(3, 8, 10, 4)}), None).shape
        torch.Size([3, 8, 14])
    """

    levels = (-1,)

    def __init__(
        self, width: int, prefix: int, alpha: Power = 0.8, eps: PositiveFloat = 1e-5
    ) -> None:
        super().__init__()
        if not prefix:
            raise UserError("AlphaDistance reads the class token, and the backbone has none.")
        self.dim = width * (width + 1) // 2 + width
        self.prefix = prefix
        self.alpha = alpha
        self.eps = eps

    def forward(
        self, features: VideoFeatures, text: Float[Tensor, "V M E"] | None
    ) -> Float[Tensor, "V S2 F"]:
        """Upper triangle of the matrix of every frame, and its class token; text is unused."""
        del text
        tokens = features.tokens[-1]
        token, patches = tokens[:, :, 0], tokens[:, :, self.prefix :]
        weights = F.cosine_similarity(token.unsqueeze(2), patches, dim=-1)
        channels = (weights.unsqueeze(-1) * patches).transpose(-1, -2)
        matrices = alpha_distance_matrix(channels, self.alpha, self.eps)
        return torch.cat([upper_triangle(matrices), token.to(matrices.dtype)], dim=-1)
