"""Frozen trunk without adaptation, and the base class of adapters that only train parameters."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.interfaces import Adapter, Block
from fsarbench.registry import ADAPTERS


class TrunkTuning(Adapter):
    """Unchanged block; subclasses define the trainable trunk parameters in `trains`.

    These adapters do not work on tokens, so they also apply to convolutional networks.
    """

    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """Tokens after the unchanged block."""
        del text
        return block(tokens)


@ADAPTERS.register_module()
class Frozen(TrunkTuning):
    """Unchanged block without trainable parameters."""
