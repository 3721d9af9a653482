"""A geometric mix of text scores and matching scores (CLIP-FSAR, Wang et al., IJCV 2024)."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import PositiveFloat, ShareWithEnds
from fsarbench.episode import Outcome
from fsarbench.functional.text_scores import text_logits
from fsarbench.interfaces import Readout
from fsarbench.registry import READOUTS


@READOUTS.register_module()
class GeometricFusion(Readout):
    """Text probabilities to the alpha times matching ones to the 1 - alpha (CLIP-FSAR, 2303.02982).

    Args:
        alpha: The share of the text, 0 to 1.
        temperature: What the cosine of query and text is divided by, above 0.
        per_frame: Divide the matcher's logits by the number of frames, as for a matcher whose
            logits are sums over frames.
    """

    uses_text = True

    def __init__(
        self, alpha: ShareWithEnds = 0.9, temperature: PositiveFloat = 1.0, per_frame: bool = True
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.temperature = temperature
        self.per_frame = per_frame

    def forward(self, outcome: Outcome) -> Float[Tensor, "Q N"]:
        """The mix, made to add up to 1 over the episode's classes."""
        by_text, by_match = self._logits(outcome)
        # A product of powers of two softmaxes, made to add up to 1, is the softmax of their mix.
        return (self.alpha * by_text + (1 - self.alpha) * by_match).softmax(-1)

    def explain(self, outcome: Outcome) -> dict[str, Float[Tensor, "Q N"]]:
        """The probabilities of the text and of the matcher."""
        by_text, by_match = self._logits(outcome)
        return {"text": by_text.softmax(-1), "matcher": by_match.softmax(-1)}

    def _logits(self, outcome: Outcome) -> tuple[Float[Tensor, "Q N"], Float[Tensor, "Q N"]]:
        by_text = text_logits(outcome.query, outcome.text, self.temperature)
        frames = outcome.query.shape[1]
        return by_text, outcome.logits / frames if self.per_frame else outcome.logits
