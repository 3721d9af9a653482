"""Placeholder backbone for features that were computed before."""

from collections.abc import Sequence
from typing import Any, ClassVar

from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.errors import UserError
from fsarbench.interfaces import Adapter, Backbone
from fsarbench.registry import BACKBONES


@BACKBONES.register_module()
class Precomputed(Backbone):
    """Features of the data set `FeatureFolder`, passed on unchanged.

    A config needs no argument: number of steps and width are read from the data set.

    Args:
        dim: Feature width D; None for that of the data set.
        steps: Features per video S; None for that of the data set.

    Raises:
        UserError: A size is missing where no config gives it.
    """

    takes_features = True
    input_hints: ClassVar[dict[str, Any]] = {
        **Backbone.input_hints,
        "frames": Float[Tensor, "V S D"],
    }
    width = image_size = prefix = mlp_width = depth = 0
    joint = uses_text = False

    def __init__(self, dim: PositiveInt | None = None, steps: PositiveInt | None = None) -> None:
        super().__init__()
        if dim is None or steps is None:
            raise UserError(
                "Precomputed: dim and steps are missing. A config with the data set FeatureFolder "
                "fills them in; otherwise give both, such as Precomputed(dim=512, steps=8)."
            )
        self.dim = dim
        self.steps = steps

    def adapt(self, adapters: Sequence[Adapter]) -> None:
        """There is no block to adapt.

        Raises:
            UserError: There are adapters.
        """
        if adapters:
            raise UserError(
                f"{type(adapters[0]).__name__} adapts the blocks of a backbone, and Precomputed "
                "has none: leave the adapter out."
            )

    def forward(
        self, frames: Float[Tensor, "V S D"], text: Float[Tensor, "V E"] | None = None
    ) -> Float[Tensor, "V S D"]:
        """The features, unchanged.

        Args:
            frames: Features.
            text: Not used.

        Raises:
            UserError: The features have another width.
        """
        del text
        if frames.shape[-1] != self.dim:
            raise UserError(
                f"The features are {frames.shape[-1]} wide, and the backbone Precomputed was built "
                f"for backbone.dim = {self.dim}: leave backbone.dim out, or give the data set that "
                "the model was built for."
            )
        return frames

    def output_frames(self, frames: int) -> int:
        """Number of steps S of the data set, whatever the number of frames of a clip."""
        del frames
        return self.steps
