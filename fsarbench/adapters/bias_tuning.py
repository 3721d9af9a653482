"""BitFit (Ben Zaken, Goldberg, Ravfogel, ACL 2022, arXiv 2106.10199)."""

from torch import nn

from fsarbench.adapters.frozen import TrunkTuning
from fsarbench.interfaces import TrunkSection
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class BiasTuning(TrunkTuning):
    """Trains all biases, including those of the norms; `blocks` restricts it to some blocks."""

    def trains(self, part: TrunkSection, name: str, owner: nn.Module) -> bool:
        """Whether a parameter's name ends in `bias`, such as `bias` and `in_proj_bias`."""
        del part, owner
        return name.endswith("bias")
