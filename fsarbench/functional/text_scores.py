"""What class names alone say of videos."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from fsarbench.errors import UserError


def text_logits(
    features: Float[Tensor, "V T D"], text: Float[Tensor, "N E"] | None, temperature: float
) -> Float[Tensor, "V N"]:
    """The cosine of a video's time-averaged feature with every class's text, over temperature.

    Raises:
        UserError: There is no text, or its width is not that of the features.
    """
    if text is None:
        raise UserError(
            "Scores from text need the text features of the classes, and there are none: "
            "give the config a text_encoder, or choose a loss and a readout without text."
        )
    if text.shape[-1] != features.shape[-1]:
        raise UserError(
            f"Scores from text compare video features of width {features.shape[-1]} with text "
            f"features of width {text.shape[-1]}: choose a backbone and a text_encoder that share "
            "one space."
        )
    video = F.normalize(features.mean(1), dim=-1)
    return video @ F.normalize(text, dim=-1).transpose(-1, -2) / temperature
