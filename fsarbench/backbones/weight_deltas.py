"""Forward of a library's module with modified weights, without changing or copying the module."""

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
    """Forward of the module with the named weights replaced."""
    if not weights:
        return module(*inputs, **options)
    return functional_call(module, dict(weights), inputs, options)


def merge(
    module: nn.Module, changes: Mapping[Projection, Tensor], names: Mapping[Projection, str]
) -> dict[str, Tensor]:
    """Modified weights of a module by parameter name.

    Args:
        module: Attention or MLP.
        changes: Weight delta of each projection, "out in".
        names: Parameter name of each projection; the parameter of stacked query, key and value is
            listed under `q`.
    """
    parameters = dict(module.named_parameters())
    merged = {}
    for projection, name in names.items():
        weight = parameters[name]
        change = stacked(changes, weight) if projection == "q" else changes.get(projection)
        if change is not None:
            merged[name] = weight + change
    return merged


def stacked(changes: Mapping[Projection, Tensor], weight: Tensor) -> Tensor | None:
    """Stacked weight deltas of query, key and value, with zeros for projections without one."""
    if not any(projection in changes for projection in FUSED):
        return None
    zeros = weight.new_zeros(weight.shape[0] // 3, weight.shape[1])
    return torch.cat([changes.get(projection, zeros) for projection in FUSED])
