"""Text features of class names as tokens and as classifiers of videos."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from fsarbench.errors import UserError


def class_text(text: Float[Tensor, "*B N M E"]) -> Float[Tensor, "*B N E"]:
    """One text feature per class: the mean over its sentences.

    Example:
        >>> import torch
        >>> class_text(torch.tensor([[[0.0, 2.0], [2.0, 4.0]]]))
        tensor([[1., 3.]])
    """
    return text.mean(-2) if text.shape[-2] > 1 else text[..., 0, :]


def guide_tokens(
    component: str, support: Float[Tensor, "N K S F"], text: Float[Tensor, "N M E"] | None
) -> Float[Tensor, "N K 1 E"]:
    """Text feature of each class, the mean over its sentences, as one token per support video.

    Args:
        component: Name of the calling component, for error messages.
        support: Frame features of the support videos.
        text: Text features of the classes.

    Raises:
        UserError: `text` is None, or its width differs from that of the frames.
    """
    if text is None:
        raise UserError(
            f"{component} needs the text features of the classes: give the config a text_encoder, "
            "or choose prototypes without text."
        )
    check_widths(component, support.shape[-1], text.shape[-1])
    return class_text(text)[:, None, None].expand(*support.shape[:2], 1, -1)


def check_widths(component: str, dim: int, text_dim: int) -> None:
    """Require equal widths of text and frame features.

    Raises:
        UserError: The widths differ.
    """
    if dim != text_dim:
        raise UserError(
            f"{component} combines text features of width {text_dim} with frame features of width "
            f"{dim}; choose a backbone and a text_encoder that share one feature space."
        )


def text_logits(
    features: Float[Tensor, "V S D"],
    text: Float[Tensor, "N M E"] | None,
    temperature: float,
    eps: float = 0.0,
) -> Float[Tensor, "V N"]:
    """Cosine of a video's time-averaged feature with each class's text, divided by temperature.

    Args:
        features: Features of the videos.
        text: Text features of the classes; the text of a class is the mean over its sentences.
        temperature: Divisor of the cosine.
        eps: Term added to the product of the two norms, 0.01 in CLIP-FSAR's code.

    Raises:
        UserError: `text` is None, or its width differs from that of the features.
    """
    if text is None:
        raise UserError(
            "Text scores need the text features of the classes, and there are none: "
            "give the config a text_encoder, or choose a loss and a readout without text."
        )
    if text.shape[-1] != features.shape[-1]:
        raise UserError(
            f"Text scores compare video features of width {features.shape[-1]} with text "
            f"features of width {text.shape[-1]}: choose a backbone and a text_encoder that share "
            "one feature space."
        )
    classes = class_text(text)
    if eps:
        video = features.mean(1)
        lengths = video.norm(dim=-1, keepdim=True) * classes.norm(dim=-1)
        return video @ classes.transpose(-1, -2) / (lengths + eps) / temperature
    video = F.normalize(features.mean(1), dim=-1)
    return video @ F.normalize(classes, dim=-1).transpose(-1, -2) / temperature
