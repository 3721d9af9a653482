"""Checks for NaN and infinite values in weights, features and scores."""

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
