"""Weighted mean of text and matching probabilities (MA-FSAR, Xing et al., arXiv 2308.01532)."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import PositiveFloat, ShareWithEnds
from fsarbench.episode import Outcome
from fsarbench.functional.text_scores import text_logits
from fsarbench.interfaces import Readout
from fsarbench.registry import READOUTS


@READOUTS.register_module()
class ArithmeticFusion(Readout):
    """alpha * text probabilities + (1 - alpha) * matching probabilities (MA-FSAR, 2308.01532).

    Args:
        alpha: Weight of the text, 0 to 1.
        temperature: Divisor of the cosine of query and text, above 0.
    """

    uses_text = True

    def __init__(self, alpha: ShareWithEnds = 0.5, temperature: PositiveFloat = 0.01) -> None:
        super().__init__()
        self.alpha = alpha
        self.temperature = temperature

    def forward(self, outcome: Outcome) -> Float[Tensor, "Q N"]:
        """Probabilities over the episode's classes."""
        probabilities = self.explain(outcome)
        return self.alpha * probabilities["text"] + (1 - self.alpha) * probabilities["matcher"]

    def explain(self, outcome: Outcome) -> dict[str, Float[Tensor, "Q N"]]:
        """Probabilities from the text and from the matcher."""
        text = text_logits(outcome.query, outcome.text, self.temperature).softmax(-1)
        return {"text": text, "matcher": outcome.logits.softmax(-1)}
