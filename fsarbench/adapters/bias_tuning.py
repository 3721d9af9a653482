"""BitFit (Ben Zaken, Goldberg, Ravfogel, ACL 2022, arXiv 2106.10199)."""

from torch import nn

from fsarbench.adapters.frozen import Plain
from fsarbench.interfaces import TrunkPart
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class BiasTuning(Plain):
    """All biases are tuned, those of the norms among them; with `blocks` of some blocks only."""

    def tunes(self, part: TrunkPart, name: str, owner: nn.Module) -> bool:
        """What its library calls a bias, such as `bias` and `in_proj_bias`."""
        del part, owner
        return name.endswith("bias")
