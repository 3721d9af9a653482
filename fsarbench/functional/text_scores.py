"""What class names alone say of videos."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from fsarbench.errors import UserError


def guide_tokens(
    part: str, support: Float[Tensor, "N K T D"], text: Float[Tensor, "N E"] | None
) -> Float[Tensor, "N K 1 E"]:
    """Each class's text feature as one token for each of its support videos.

    Args:
        part: The part that asks, for the message.
        support: The frames that the token is to stand beside.
        text: The text features of the classes.

    Raises:
        UserError: There is no text, or its width is not that of the frames.
    """
    if text is None:
        raise UserError(
            f"{part} needs the text features of the classes: give the config a text_encoder, or "
            "choose prototypes without text."
        )
    check_widths(part, support.shape[-1], text.shape[-1])
    return text[:, None, None].expand(*support.shape[:2], 1, -1)


def check_widths(part: str, dim: int, text_dim: int) -> None:
    """Refuse text and frames of different spaces.

    Raises:
        UserError: The widths differ.
    """
    if dim != text_dim:
        raise UserError(
            f"{part} puts text features of width {text_dim} together with frame features of width "
            f"{dim}; choose a backbone and a text_encoder that share one space."
        )


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
