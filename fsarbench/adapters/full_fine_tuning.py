"""Full fine-tuning: the baseline that adapters are measured against."""

from torch import nn

from fsarbench.adapters.frozen import Plain
from fsarbench.interfaces import TrunkPart
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class FullFineTuning(Plain):
    """Every parameter of the trunk is tuned: embedding, blocks, last norm and projection.

    Put on some of the blocks only (`blocks=[...]`), it leaves the other blocks frozen.
    """

    def tunes(self, part: TrunkPart, name: str, owner: nn.Module) -> bool:
        """Everything."""
        del part, name, owner
        return True
