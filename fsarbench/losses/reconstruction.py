"""Reconstruction of frame differences (MoLo, Wang et al., CVPR 2023)."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from fsarbench.arguments.value_rules import NonEmptyStr, NonNegativeFloat, PositiveFloat
from fsarbench.episode import Episode, Outcome
from fsarbench.errors import UserError
from fsarbench.interfaces import Loss
from fsarbench.registry import LOSSES


@LOSSES.register_module()
class Reconstruction(Loss):
    """Mean squared error of rebuilt differences of neighbouring frames (MoLo, arXiv 2304.00946).

    Frames are scaled to [0, 1] and divided by the standard deviation of the colour channels, as in
    the input of the authors' network.

    Args:
        weight: Factor of the loss in the total loss.
        auxiliary: Auxiliary output "V S2 3 H W" of a neck, with the rebuilt differences.
        std: Standard deviation of each colour channel; the default is that of ImageNet.
    """

    uses_match = False

    def __init__(
        self,
        weight: NonNegativeFloat = 1.0,
        auxiliary: NonEmptyStr = "reconstruction",
        std: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = (0.229, 0.224, 0.225),
    ) -> None:
        super().__init__()
        self.weight = weight
        self.auxiliary = auxiliary
        self.std = tuple(std)

    def forward(self, outcome: Outcome, episode: Episode) -> Float[Tensor, ""]:
        """Mean over all pixels of all support and query videos.

        Raises:
            UserError: The model rebuilds nothing, or frames of another size.
        """
        rebuilt = outcome.auxiliary_output(self.auxiliary, "Reconstruction: auxiliary")
        frames = torch.cat([episode.support.flatten(0, 1), episode.query])
        steps = frames.shape[1] - 1
        if rebuilt.shape[1:] != (steps, *frames.shape[2:]):
            raise UserError(
                f"Reconstruction: the neck rebuilds {list(rebuilt.shape[1:])}, and the differences "
                f"of the frames are {[steps, *frames.shape[2:]]} (steps, channels, height, width). "
                "The factors of the neck, such as enlarge of MotionDifferences, times the "
                "patches per side must be the side of a frame."
            )
        scaled = frames.float() / 255 if frames.dtype == torch.uint8 else frames
        std = scaled.new_tensor(self.std)[:, None, None]
        return F.mse_loss(rebuilt, (scaled[:, 1:] - scaled[:, :-1]) / std)
