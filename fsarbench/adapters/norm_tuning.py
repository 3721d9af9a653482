"""Training of normalisation layers only (Frankle, Schwab, Morcos, ICLR 2021, arXiv 2003.00152)."""

from torch import nn

from fsarbench.adapters.frozen import TrunkTuning
from fsarbench.interfaces import TrunkSection
from fsarbench.layers import is_norm
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class NormTuning(TrunkTuning):
    """Trains the scales and shifts of all norms; `blocks` restricts it to some blocks."""

    def trains(self, part: TrunkSection, name: str, owner: nn.Module) -> bool:
        """Whether a parameter belongs to a norm."""
        del part, name
        return is_norm(owner)
