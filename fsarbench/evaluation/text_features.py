"""The text features of all classes of a split, computed once."""

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.data.splits import require_names
from fsarbench.model import FewShotModel, tuned_parameters
from fsarbench.video import Split


@torch.no_grad()
def text_bank(model: FewShotModel, split: Split) -> Float[Tensor, "M E"] | None:
    """One text feature a class of the split, None without a text encoder.

    The encoder runs in evaluation mode, whatever mode it is in.
    """
    encoder = model.text_encoder
    if encoder is None:
        return None
    training = encoder.training
    features = encoder.eval()(require_names(split))
    encoder.train(training)
    return features


def tunes_text(model: FewShotModel) -> bool:
    """Whether training changes the text encoder, so that no bank outlives a step."""
    return model.text_encoder is not None and bool(tuned_parameters(model.text_encoder))
