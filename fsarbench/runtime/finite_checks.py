"""Checks for NaN and infinite values; a model with such weights or scores is not tested."""

import math
from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from fsarbench.errors import UserError

Value = TypeVar("Value")


def none_for_nan(value: Value) -> Value | None:
    """None for NaN, which JSON does not know; any other value, infinities included, as it is.

    Example:
        >>> none_for_nan(0.5), none_for_nan(float("nan")), none_for_nan("text")
        (0.5, None, 'text')
    """
    return None if value != value else value  # only NaN, of any type, differs from itself


def not_finite(values: Mapping[str, float]) -> dict[str, float]:
    """The values that are NaN or infinite, by name.

    Example:
        >>> not_finite({"loss": float("inf"), "accuracy": 0.5})
        {'loss': inf}
    """
    return {name: value for name, value in values.items() if not math.isfinite(value)}


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
