"""A library's module run with other weights, without touching the module or copying its forward."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from fsarbench.interfaces import Projection

FUSED: tuple[Projection, ...] = ("q", "k", "v")
NONE: Mapping[Projection, Tensor] = MappingProxyType({})
Weights = Mapping[str, Tensor]


def run(module: nn.Module, weights: Weights, *inputs: Tensor, **options: Any) -> Any:
    """The module's own forward, with the named weights in place of its own."""
    if not weights:
        return module(*inputs, **options)
    return functional_call(module, dict(weights), inputs, options)


def merge(
    module: nn.Module, changes: Mapping[Projection, Tensor], names: Mapping[Projection, str]
) -> dict[str, Tensor]:
    """The changed weights of a module, by parameter name.

    Args:
        module: The attention, or the MLP.
        changes: What is added to the weight of a projection, "out in".
        names: The parameters of the module's projections; query, key and value stacked in one
            parameter come under `q`.
    """
    own = dict(module.named_parameters())
    merged = {}
    for projection, name in names.items():
        change = stacked(changes, own[name]) if projection == "q" else changes.get(projection)
        if change is not None:
            merged[name] = own[name] + change
    return merged


def stacked(changes: Mapping[Projection, Tensor], weight: Tensor) -> Tensor | None:
    """The changes of query, key and value one above the other, zero where there is none."""
    if not any(projection in changes for projection in FUSED):
        return None
    blank = weight.new_zeros(weight.shape[0] // 3, weight.shape[1])
    return torch.cat([changes.get(projection, blank) for projection in FUSED])
