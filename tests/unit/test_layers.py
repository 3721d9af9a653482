import pytest
import torch
from torch import nn

from fsarbench.errors import UserError
from fsarbench.layers import Bottleneck, FeedForward, MultiHeadAttention


def test_bottleneck_is_initialised_to_zero_and_learns() -> None:
    bottleneck = Bottleneck(8, 2)
    tokens = torch.randn(3, 4, 8, generator=torch.Generator().manual_seed(0))
    output = bottleneck(tokens)
    assert output.count_nonzero() == 0
    output.sum().backward()
    assert bottleneck.up.weight.grad is not None
    assert bottleneck.up.weight.grad.count_nonzero() > 0


@pytest.mark.parametrize("lead", [(), (2,), (2, 3)])
def test_attention_equals_torchs_own(lead: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    ours, theirs = MultiHeadAttention(16, 4), nn.MultiheadAttention(16, 4, batch_first=True)
    inner = [ours.query, ours.key, ours.value]
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([layer.weight for layer in inner]))
        theirs.out_proj.weight.copy_(ours.out.weight)
    query, context = torch.randn(*lead, 5, 16), torch.randn(*lead, 7, 16)
    flat = [tokens.reshape(-1, *tokens.shape[-2:]) for tokens in (query, context)]
    want = theirs(flat[0], flat[1], flat[1])[0].reshape(query.shape)
    torch.testing.assert_close(ours(query, context), want)


def test_attention_is_initialised_as_in_torch() -> None:
    torch.manual_seed(0)
    ours, theirs = MultiHeadAttention(256, 4), nn.MultiheadAttention(256, 4)
    for layer in (ours.query, ours.key, ours.value):
        bound = theirs.in_proj_weight.abs().max()
        assert layer.weight.abs().max().item() == pytest.approx(bound.item(), rel=1e-3)
        assert layer.bias.count_nonzero() == 0
    spread = theirs.out_proj.weight.std().item()
    assert ours.out.weight.std().item() == pytest.approx(spread, rel=0.05)


@pytest.mark.parametrize("heads", [0, 3, -2])
def test_heads_must_divide_the_width(heads: int) -> None:
    with pytest.raises(UserError, match="heads"):
        MultiHeadAttention(16, heads)


def test_feed_forward_maps_each_token_separately() -> None:
    torch.manual_seed(0)
    layer, tokens = FeedForward(8, 16), torch.randn(2, 3, 8)
    torch.testing.assert_close(layer(tokens)[1, 2], layer(tokens[1, 2]))
