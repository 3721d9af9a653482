"""Partial fine-tuning: the last blocks are trainable, the others stay frozen."""

from torch import nn

from fsarbench.adapters.frozen import TrunkTuning
from fsarbench.arguments.value_rules import NonNegativeInt
from fsarbench.errors import UserError
from fsarbench.interfaces import TrunkSection
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class PartialFineTuning(TrunkTuning):
    """Trains the last blocks (or stages) and the layers after them.

    Args:
        block_count: Number of blocks of the trunk, filled in from the backbone.
        block_index: Index of this adapter's block, filled in from the backbone.
        last: Number of trainable blocks; 0 trains only the last norm and projection.

    Raises:
        UserError: `last` is negative or larger than the number of blocks.
    """

    def __init__(self, block_count: int, block_index: int, last: NonNegativeInt = 1) -> None:
        super().__init__()
        if last > block_count:
            raise UserError(
                f"PartialFineTuning: last={last}, but the trunk has {block_count} blocks."
            )
        self.trainable = block_index >= block_count - last

    def trains(self, part: TrunkSection, name: str, owner: nn.Module) -> bool:
        """Whether a parameter belongs to one of the last blocks or to the layers after them."""
        del name, owner
        return self.trainable if part == "block" else part == "pool"
