"""Softmax of the matcher's logits."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.episode import Outcome
from fsarbench.interfaces import Readout
from fsarbench.registry import READOUTS


@READOUTS.register_module()
class MatchOnly(Readout):
    """Softmax of the matcher's logits, the readout of most methods."""

    def forward(self, outcome: Outcome) -> Float[Tensor, "Q N"]:
        """Probabilities over the episode's classes."""
        return outcome.logits.softmax(-1)
