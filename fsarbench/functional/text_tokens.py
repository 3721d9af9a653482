"""The text of each class beside the frames of its support videos."""

from jaxtyping import Float
from torch import Tensor

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
