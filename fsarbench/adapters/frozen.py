"""No adaptation at all."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.interfaces import Adapter, Block
from fsarbench.registry import ADAPTERS


class Plain(Adapter):
    """The block as it is; a subclass says in `tunes` what is tuned.

    Such an adapter needs no tokens, so it is the kind that a convolutional network takes too.
    """

    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """The plain block."""
        del text
        return block(tokens)


@ADAPTERS.register_module()
class Frozen(Plain):
    """The block as it is; nothing is tuned."""
