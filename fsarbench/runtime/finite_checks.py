"""Weights, features and scores have to be finite: NaN would be tested as if it were a model."""

import torch
from torch import Tensor, nn

from fsarbench.errors import UserError


def require_finite_weights(model: nn.Module, source: str) -> None:
    """Refuses a model with NaN or infinite parameters, or with NaN in its buffers.

    Args:
        model: Its weights loaded.
        source: Where they come from, for the message.

    Raises:
        UserError: It names the first such tensor.
    """
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter.detach()).all():
            raise _not_finite(f"{source}: {name}", parameter)
    # A mask among the buffers may well be infinite.
    for name, buffer in model.named_buffers():
        if torch.isnan(buffer).any():
            raise _not_finite(f"{source}: {name}", buffer)


def require_finite(value: Tensor, name: str) -> None:
    """Refuses NaN and infinities.

    Args:
        value: Computed by the model.
        name: What it is, for the message.

    Raises:
        UserError: There are some.
    """
    if not torch.isfinite(value).all():
        raise _not_finite(name, value)


def _not_finite(name: str, value: Tensor) -> UserError:
    bad = int((~torch.isfinite(value.detach())).sum())
    return UserError(
        f"{name} has {bad} of {value.numel()} values that are NaN or infinite. A result of them "
        "would mean nothing: look at the weights, or at the part that computes it."
    )
