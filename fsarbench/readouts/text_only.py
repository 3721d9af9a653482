"""Zero-shot: the class names alone (CLIP, Radford et al., ICML 2021)."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import PositiveFloat
from fsarbench.episode import Outcome
from fsarbench.functional.text_scores import text_logits
from fsarbench.interfaces import Readout
from fsarbench.registry import READOUTS


@READOUTS.register_module()
class TextOnly(Readout):
    """The softmax over the cosines of a query with the class texts: zero-shot CLIP (ICML 2021).

    The support set is never looked at, so that a config with it needs neither matcher nor
    prototypes.

    Args:
        temperature: What the cosine is divided by, above 0; 0.01 is CLIP's own logit scale.
    """

    uses_text = True
    uses_match = False

    def __init__(self, temperature: PositiveFloat = 0.01) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, outcome: Outcome) -> Float[Tensor, "Q N"]:
        """Probabilities over the episode's classes."""
        return text_logits(outcome.query, outcome.text, self.temperature).softmax(-1)

    def explain(self, outcome: Outcome) -> dict[str, Float[Tensor, "Q N"]]:
        """The text is all there is."""
        return {"text": self(outcome)}
