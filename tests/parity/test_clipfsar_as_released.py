"""CLIP-FSAR as its released code computes it, written naively in float64.

Differences from the plain components: no norm before the feed-forward network, no bias of query,
key and value, and 0.01 added to the product of norms in every cosine.
"""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from fsarbench.config.build import build_on_meta
from fsarbench.config.loading import load_config
from fsarbench.layers import LayerAsReleased
from fsarbench.matchers.otam import OTAM
from fsarbench.prototypes.semantic_modulation import SemanticModulation
from tests.helpers.naive_cosine import cosines_with_term
from tests.parity.test_otam import cell_by_cell

N, K, Q, T, D = 3, 2, 2, 4, 8


def draw(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def build(**options: object) -> SemanticModulation:
    torch.manual_seed(0)
    builder = SemanticModulation(D, heads=2, as_released=True, **options)  # type: ignore[arg-type]
    builder = builder.double().eval()
    with torch.no_grad():  # away from norms of 1, which would hide a wrong wire
        for parameter in builder.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return builder


def one_layer(layer: LayerAsReleased, tokens: Tensor) -> Tensor:
    """One layer on one sequence "L D", head by head."""
    attention, narrow, widen = layer.attention, layer.feed_forward.narrow, layer.feed_forward.widen
    normed = F.layer_norm(tokens, (D,), layer.norm1.weight, layer.norm1.bias)
    mixed = []
    for half in (slice(0, D // 2), slice(D // 2, D)):
        query, key, value = (
            normed @ linear.weight[half].T
            for linear in (attention.query, attention.key, attention.value)
        )
        mixed.append(torch.softmax(query @ key.T / (D // 2) ** 0.5, -1) @ value)
    tokens = tokens + torch.cat(mixed, -1) @ attention.out.weight.T + attention.out.bias
    hidden = F.gelu(tokens @ widen.weight.T + widen.bias)
    return tokens + hidden @ narrow.weight.T + narrow.bias


def transformed(builder: SemanticModulation, tokens: Tensor) -> Tensor:
    for layer in builder.layers:
        tokens = one_layer(layer, tokens)
    return tokens


def naive_logits(
    builder: SemanticModulation, merge: str, support: Tensor, query: Tensor, text: Tensor
) -> Tensor:
    """Negative costs of both alignments of every query with every class, pair by pair."""
    rows = []
    for video in query:
        frames = transformed(builder, video)
        for n in range(N):
            shots = support[n].mean(0, keepdim=True) if merge == "before" else support[n]
            tokens = [transformed(builder, torch.cat([s, text[n][None]]))[:T] for s in shots]
            distances = 1 - cosines_with_term(frames, sum(tokens) / len(tokens), 0.01)
            rows.append(-cell_by_cell(distances, 0.5) - cell_by_cell(distances.T, 0.5))
    return torch.stack(rows).view(Q, N)


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("merge", ["before", "after"])
def test_logits_equal_the_naive_form_in_value_and_gradient(depth: int, merge: str) -> None:
    builder = build(depth=depth, merge=merge)
    support, query, text = (
        draw(N, K, T, D).requires_grad_(),
        draw(Q, T, D, seed=1).requires_grad_(),
        draw(N, D, seed=2),
    )
    prototypes, matched = builder(support, query, text[:, None])
    logits = OTAM(temperature=0.5, cosine_eps=0.01)(matched, prototypes)
    want = naive_logits(builder, merge, support, query, text)
    torch.testing.assert_close(logits, want, rtol=0, atol=1e-11)
    weights, inputs = draw(Q, N, seed=3), [support, query, *builder.parameters()]
    ours = torch.autograd.grad((logits * weights).sum(), inputs)
    theirs = torch.autograd.grad((want * weights).sum(), inputs)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(("dim", "parameters"), [(512, 3_149_824), (1024, 8_394_752)])
def test_parameters_of_the_released_code(dim: int, parameters: int) -> None:
    """Four projections of which the output has a bias, one norm, feed-forward width 2048."""
    builder = SemanticModulation(dim, as_released=True)
    assert sum(p.numel() for p in builder.parameters()) == parameters
    assert builder.layers[0].feed_forward.widen.out_features == 2048


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        ("clipfsar_released_ssv2_5shot_rn50", 8_394_752),
        ("clipfsar_released_ssv2_5shot", 3_149_824),
        # With biases of query, key and value, and a second norm.
        ("clipfsar_ssv2_5shot_rn50", 8_399_872),
        ("clipfsar_ssv2_5shot", 3_152_384),
    ],
)
def test_parameters_of_the_configs(config: str, parameters: int) -> None:
    model = build_on_meta(load_config(config).values)
    assert sum(p.numel() for p in model.prototypes.parameters()) == parameters


def test_initialisation_of_the_released_code() -> None:
    torch.manual_seed(0)
    attention = SemanticModulation(512, as_released=True).layers[0].attention
    for layer in (attention.query, attention.key, attention.value, attention.out):
        assert layer.weight.std().item() == pytest.approx(0.0255, rel=0.01)
    assert attention.query.bias is None
    assert attention.out.bias.std().item() == pytest.approx(0.0255, rel=0.1)


def test_dropout_of_the_released_code() -> None:
    def rates(**options: float) -> list[float]:
        layer = SemanticModulation(D, as_released=True, **options).layers[0]
        return [m.p for m in layer.modules() if isinstance(m, torch.nn.Dropout)]

    assert sorted(rates()) == [0.05, 0.2]
    assert rates(dropout=0.0) == []
    assert rates(dropout=0.3) == [0.3, 0.3]
