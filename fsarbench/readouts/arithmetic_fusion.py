"""An arithmetic mix of text scores and matching scores (MA-FSAR, Xing et al., arXiv 2308.01532)."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import PositiveFloat, ShareWithEnds
from fsarbench.episode import Outcome
from fsarbench.functional.text_scores import text_logits
from fsarbench.interfaces import Readout
from fsarbench.registry import READOUTS


@READOUTS.register_module()
class ArithmeticFusion(Readout):
    """alpha times text probabilities plus 1 - alpha times matching ones (MA-FSAR, 2308.01532).

    Args:
        alpha: The share of the text, 0 to 1.
        temperature: What the cosine of query and text is divided by, above 0.
    """

    uses_text = True

    def __init__(self, alpha: ShareWithEnds = 0.5, temperature: PositiveFloat = 0.01) -> None:
        super().__init__()
        self.alpha = alpha
        self.temperature = temperature

    def forward(self, outcome: Outcome) -> Float[Tensor, "Q N"]:
        """Probabilities over the episode's classes."""
        by = self.explain(outcome)
        return self.alpha * by["text"] + (1 - self.alpha) * by["matcher"]

    def explain(self, outcome: Outcome) -> dict[str, Float[Tensor, "Q N"]]:
        """The probabilities of the text and of the matcher."""
        by_text = text_logits(outcome.query, outcome.text, self.temperature).softmax(-1)
        return {"text": by_text, "matcher": outcome.logits.softmax(-1)}
