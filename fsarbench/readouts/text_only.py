"""Zero-shot classification by the class names (CLIP, Radford et al., ICML 2021)."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import NonNegativeFloat, PositiveFloat
from fsarbench.episode import Outcome
from fsarbench.functional.text_scores import text_logits
from fsarbench.interfaces import Readout
from fsarbench.registry import READOUTS


@READOUTS.register_module()
class TextOnly(Readout):
    """Softmax over the cosines of a query with the class texts: zero-shot CLIP (ICML 2021).

    The support set is not used, so the config needs neither matcher nor prototypes.

    Args:
        temperature: Divisor of the cosine, above 0; 0.01 corresponds to CLIP's logit scale.
        cosine_eps: Term added to the product of the norms in the cosine of query and text.
    """

    uses_text = True
    uses_match = False

    def __init__(
        self, temperature: PositiveFloat = 0.01, cosine_eps: NonNegativeFloat = 0.0
    ) -> None:
        super().__init__()
        self.cosine_eps = cosine_eps
        self.temperature = temperature

    def forward(self, outcome: Outcome) -> Float[Tensor, "Q N"]:
        """Probabilities over the episode's classes."""
        text = text_logits(outcome.query, outcome.text, self.temperature, self.cosine_eps)
        return text.softmax(-1)

    def explain(self, outcome: Outcome) -> dict[str, Float[Tensor, "Q N"]]:
        """Probabilities from the text."""
        return {"text": self(outcome)}
