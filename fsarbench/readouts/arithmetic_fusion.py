"""Weighted mean of text and matching probabilities (MA-FSAR, Xing et al., arXiv 2308.01532)."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import NonNegativeFloat, PositiveFloat, ShareWithEnds
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
        cosine_eps: Term added to the product of the norms in the cosine of query and text.
    """

    uses_text = True

    def __init__(
        self,
        alpha: ShareWithEnds = 0.5,
        temperature: PositiveFloat = 0.01,
        cosine_eps: NonNegativeFloat = 0.0,
    ) -> None:
        super().__init__()
        self.cosine_eps = cosine_eps
        self.alpha = alpha
        self.temperature = temperature

    def forward(self, outcome: Outcome) -> Float[Tensor, "Q N"]:
        """Probabilities over the episode's classes."""
        probabilities = self.explain(outcome)
        return self.alpha * probabilities["text"] + (1 - self.alpha) * probabilities["matcher"]

    def explain(self, outcome: Outcome) -> dict[str, Float[Tensor, "Q N"]]:
        """Probabilities from the text and from the matcher."""
        text = text_logits(outcome.query, outcome.text, self.temperature, self.cosine_eps)
        return {"text": text.softmax(-1), "matcher": outcome.logits.softmax(-1)}
