"""Partial fine-tuning: the end of the trunk is tuned, the rest stays frozen."""

from torch import nn

from fsarbench.adapters.frozen import Plain
from fsarbench.arguments.value_rules import NonNegativeInt
from fsarbench.errors import UserError
from fsarbench.interfaces import TrunkPart
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class PartialFineTuning(Plain):
    """The last blocks (or stages) are tuned, with what comes after them.

    Args:
        block_count: Blocks of the trunk, offered by assembly.
        block_index: The place of this adapter's block, offered by assembly.
        last: How many blocks are tuned; 0 tunes the last norm and projection only.

    Raises:
        UserError: `last` is negative or more than the trunk has.
    """

    def __init__(self, block_count: int, block_index: int, last: NonNegativeInt = 1) -> None:
        super().__init__()
        if last > block_count:
            raise UserError(
                f"PartialFineTuning: last={last}, but the trunk has {block_count} blocks."
            )
        self.tuned = block_index >= block_count - last

    def tunes(self, part: TrunkPart, name: str, owner: nn.Module) -> bool:
        """The own block if it is one of the last, and what comes after the blocks."""
        del name, owner
        return self.tuned if part == "block" else part == "pool"
