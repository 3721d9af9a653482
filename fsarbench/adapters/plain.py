"""Adapters that leave the blocks as they are and only name trunk parameters to tune."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.interfaces import Adapter, Block


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
