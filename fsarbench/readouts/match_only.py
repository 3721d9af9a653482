"""The matcher's scores alone."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.episode import Outcome
from fsarbench.interfaces import Readout
from fsarbench.registry import READOUTS


@READOUTS.register_module()
class MatchOnly(Readout):
    """The softmax of the matcher's logits: what most methods of the field report."""

    def forward(self, outcome: Outcome) -> Float[Tensor, "Q N"]:
        """Probabilities over the episode's classes."""
        return outcome.logits.softmax(-1)
