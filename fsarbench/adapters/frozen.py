"""No adaptation at all."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.interfaces import Adapter, Block
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class Frozen(Adapter):
    """The block as it is; nothing is tuned."""

    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """The plain block."""
        del text
        return block(tokens)
