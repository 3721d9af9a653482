"""Full fine-tuning, a baseline for adapters."""

from torch import nn

from fsarbench.adapters.frozen import Plain
from fsarbench.interfaces import TrunkPart
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class FullFineTuning(Plain):
    """Trains every parameter of the trunk: embedding, blocks, last norm and projection.

    With `blocks=[...]` the other blocks stay frozen.
    """

    def tunes(self, part: TrunkPart, name: str, owner: nn.Module) -> bool:
        """True for every parameter."""
        del part, name, owner
        return True
