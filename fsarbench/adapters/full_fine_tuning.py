"""Full fine-tuning: the baseline that adapters are measured against."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.interfaces import Adapter, Block, TrunkPart
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class FullFineTuning(Adapter):
    """Every parameter of the trunk is tuned: embedding, blocks, last norm and projection.

    Put on some of the blocks only (`blocks=[...]`), it leaves the other blocks frozen.
    """

    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """The plain block."""
        del text
        return block(tokens)

    def tunes(self, part: TrunkPart, name: str) -> bool:
        """Everything."""
        del part, name
        return True
