"""Weighted geometric mean of text and matching probabilities (CLIP-FSAR, IJCV 2024)."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import NonNegativeFloat, PositiveFloat, ShareWithEnds
from fsarbench.episode import Outcome
from fsarbench.functional.text_scores import text_logits
from fsarbench.interfaces import Readout
from fsarbench.registry import READOUTS


@READOUTS.register_module()
class GeometricFusion(Readout):
    """text probabilities^alpha * matching probabilities^(1 - alpha) (CLIP-FSAR, 2303.02982).

    Args:
        alpha: Weight of the text, 0 to 1.
        temperature: Divisor of the cosine of query and text, above 0.
        per_frame: Whether the matcher's logits are divided by the number of frames, for matchers
            whose logits are sums over frames.
        cosine_eps: Term added to the product of the norms in the cosine of query and text.
    """

    uses_text = True

    def __init__(
        self,
        alpha: ShareWithEnds = 0.9,
        temperature: PositiveFloat = 1.0,
        per_frame: bool = True,
        cosine_eps: NonNegativeFloat = 0.0,
    ) -> None:
        super().__init__()
        self.cosine_eps = cosine_eps
        self.alpha = alpha
        self.temperature = temperature
        self.per_frame = per_frame

    def forward(self, outcome: Outcome) -> Float[Tensor, "Q N"]:
        """Product of the powers, normalised over the episode's classes."""
        text, match = self._logits(outcome)
        # The normalised product of powers of two softmaxes is the softmax of the weighted logits.
        return (self.alpha * text + (1 - self.alpha) * match).softmax(-1)

    def explain(self, outcome: Outcome) -> dict[str, Float[Tensor, "Q N"]]:
        """Probabilities from the text and from the matcher."""
        text, match = self._logits(outcome)
        return {"text": text.softmax(-1), "matcher": match.softmax(-1)}

    def _logits(self, outcome: Outcome) -> tuple[Float[Tensor, "Q N"], Float[Tensor, "Q N"]]:
        text = text_logits(outcome.query, outcome.text, self.temperature, self.cosine_eps)
        frames = outcome.query.shape[1]
        return text, outcome.logits / frames if self.per_frame else outcome.logits
