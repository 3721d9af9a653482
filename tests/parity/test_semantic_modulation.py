"""CLIP-FSAR's modulation matches its equations, token by token in float64."""

import pytest
import torch
from torch import Tensor

from fsarbench.prototypes.semantic_modulation import SemanticModulation
from tests.helpers.naive_attention import head_by_head

N, K, Q, T, D = 3, 2, 2, 4, 8


def draw(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def build(**options: object) -> SemanticModulation:
    torch.manual_seed(0)
    builder = SemanticModulation(D, heads=2, **options).double().eval()  # type: ignore[arg-type]
    with torch.no_grad():  # away from zero biases and norms of 1, which would hide a wrong wire
        for parameter in builder.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return builder


def transformed(builder: SemanticModulation, tokens: Tensor) -> Tensor:
    """Temporal transformer on one sequence "L D"."""
    for layer in builder.layers:
        tokens = tokens + head_by_head(layer.attention, layer.norm1(tokens))
        narrow, widen = layer.feed_forward.narrow, layer.feed_forward.widen
        inner = torch.nn.functional.gelu(layer.norm2(tokens) @ widen.weight.T + widen.bias)
        tokens = tokens + inner @ narrow.weight.T + narrow.bias
    return tokens


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("merge", ["before", "after"])
def test_equals_the_equations_in_value_and_gradient(depth: int, merge: str) -> None:
    builder = build(depth=depth, merge=merge)
    support, query, text = draw(N, K, T, D), draw(Q, T, D, seed=1), draw(N, 1, D, seed=2)
    support.requires_grad_()
    prototypes, matched = builder(support, query, text)
    wanted = []
    for n in range(N):
        shots = support[n].mean(0, keepdim=True) if merge == "before" else support[n]
        per_shot = [transformed(builder, torch.cat([s, text[n]]))[:T] for s in shots]
        wanted.append(sum(per_shot) / len(per_shot))
    want = torch.stack(wanted)
    torch.testing.assert_close(prototypes[0, :, 0], want, rtol=1e-11, atol=1e-11)
    for q in range(Q):
        torch.testing.assert_close(matched[q], transformed(builder, query[q]), rtol=0, atol=1e-11)
    weights, inputs = draw(N, T, D, seed=3), [support, *builder.parameters()]
    ours = torch.autograd.grad((prototypes[0, :, 0] * weights).sum(), inputs)
    theirs = torch.autograd.grad((want * weights).sum(), inputs)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10)
