"""Identity neck: the features of the backbone."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.episode import VideoFeatures
from fsarbench.interfaces import Neck
from fsarbench.registry import NECKS


@NECKS.register_module()
class Frames(Neck):
    """Features of the backbone, unchanged; the same as no neck.

    Useful to name the neck of one branch explicitly, or to override that of a base config.

    Args:
        dim: Feature width D.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(
        self, features: VideoFeatures, text: Float[Tensor, "V M E"] | None
    ) -> Float[Tensor, "V S F"]:
        """The frame features; text is unused."""
        del text
        return features.frames
