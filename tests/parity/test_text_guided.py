"""TPCM matches torch's own attention, written from MA-FSAR's figure."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fsarbench.prototypes.text_guided import TextGuided

N, K, Q, T, D = 3, 2, 4, 5, 16


@pytest.fixture
def inputs() -> tuple[Tensor, Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=g, dtype=torch.float64)

    return draw(N, K, T, D), draw(Q, T, D), draw(N, 1, D)


def build(**options: object) -> TextGuided:
    torch.manual_seed(0)
    builder = TextGuided(D, heads=4, **options).double()  # type: ignore[arg-type]
    with torch.no_grad():  # away from zero biases and norms of 1, which would hide a wrong wire
        for parameter in builder.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return builder


def torch_attention(builder: TextGuided) -> nn.MultiheadAttention:
    ours = builder.layer.attention
    theirs = nn.MultiheadAttention(D, 4, batch_first=True, dtype=torch.float64)
    inner = [ours.query, ours.key, ours.value]
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([layer.weight for layer in inner]))
        theirs.in_proj_bias.copy_(torch.cat([layer.bias for layer in inner]))
        theirs.out_proj.weight.copy_(ours.out.weight)
        theirs.out_proj.bias.copy_(ours.out.bias)
    return theirs


def one_video(builder: TextGuided, q: Tensor, kv: Tensor, norm: str) -> Tensor:
    """The figure's two lines for one video: A = MHA(q, k, v) + q, then FFN(A) + A."""
    layer, attention = builder.layer, torch_attention(builder)
    widen, narrow = layer.feed_forward.widen, layer.feed_forward.narrow

    def ffn(x: Tensor) -> Tensor:
        return F.linear(F.gelu(F.linear(x, widen.weight, widen.bias)), narrow.weight, narrow.bias)

    if norm == "pre":
        k = layer.norm1(kv)
        a = attention(layer.norm1(q), k, k)[0] + q
        return ffn(layer.norm2(a)) + a
    a = layer.norm1(attention(q, kv, kv)[0] + q)
    return layer.norm2(ffn(a) + a)


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("merge", ["before", "after"])
def test_equals_the_figure(inputs: tuple[Tensor, ...], norm: str, merge: str) -> None:
    support, query, text = inputs
    builder = build(norm=norm, merge=merge)
    prototypes, matched = builder(support, query, text)
    for n in range(N):
        shots = support[n].mean(0, keepdim=True) if merge == "before" else support[n]
        label = text[n, 0]
        per_shot = [one_video(builder, s + label, torch.cat([label[None], s]), norm) for s in shots]
        torch.testing.assert_close(prototypes[0, n, 0], torch.stack(per_shot).mean(0))
    for q in range(Q):
        torch.testing.assert_close(matched[q], one_video(builder, query[q], query[q], norm))


def test_parameters_as_in_the_paper() -> None:
    assert sum(p.numel() for p in TextGuided(512, text_dim=512).parameters()) == 3_152_384
