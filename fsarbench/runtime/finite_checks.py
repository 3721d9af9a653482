"""Checks for NaN and infinite values in weights, features and scores."""

import torch
from torch import Tensor, nn

from fsarbench.errors import UserError


def require_finite_weights(model: nn.Module, source: str) -> None:
    """Raise an error if a model has NaN or infinite parameters, or NaN in its buffers.

    Args:
        model: Model with loaded weights.
        source: Origin of the weights, for the message.

    Raises:
        UserError: A tensor has such values; the message names the first one.
    """
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter.detach()).all():
            raise _not_finite(f"{source}: {name}", parameter)
    # Infinite buffers are allowed, because attention masks contain -inf.
    for name, buffer in model.named_buffers():
        if torch.isnan(buffer).any():
            raise _not_finite(f"{source}: {name}", buffer)


def require_finite(value: Tensor, name: str) -> None:
    """Raise an error if a tensor has NaN or infinite values.

    Args:
        value: Tensor computed by the model.
        name: Description of the tensor, for the message.

    Raises:
        UserError: The tensor has such values.
    """
    if not torch.isfinite(value).all():
        raise _not_finite(name, value)


def _not_finite(name: str, value: Tensor) -> UserError:
    bad = int((~torch.isfinite(value.detach())).sum())
    return UserError(
        f"{name} has {bad} of {value.numel()} values that are NaN or infinite, so that a result "
        "would be meaningless. Check the weights, or the component that computes these values."
    )
