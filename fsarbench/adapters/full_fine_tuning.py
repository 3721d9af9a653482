"""Full fine-tuning, a baseline for adapters."""

from torch import nn

from fsarbench.adapters.frozen import TrunkTuning
from fsarbench.interfaces import TrunkSection
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class FullFineTuning(TrunkTuning):
    """Trains every parameter of the trunk: embedding, blocks, last norm and projection.

    With `blocks=[...]` the other blocks stay frozen.
    """

    def trains(self, part: TrunkSection, name: str, owner: nn.Module) -> bool:
        """True for every parameter."""
        del part, name, owner
        return True
