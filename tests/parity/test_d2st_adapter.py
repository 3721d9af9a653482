"""D2ST-Adapter matches its equations, token by token in float64, on blocks of two libraries."""

import itertools
import math
from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn

from fsarbench.adapters.d2st_adapter import D2STAdapter, DeformableAttention
from fsarbench.backbones.openclip_vit import OpenClipViT
from fsarbench.backbones.timm_vit import TimmBlock
from fsarbench.errors import UserError
from fsarbench.interfaces import Block
from fsarbench.model import count_parameters
from tests.helpers.naive_vit import Naive, along, gelu, linear, norm, of_open_clip, of_timm

V, T, GRID = 2, 3, 3
SPACE = 2
WINDOWS = {"spatial": ((2, 2, 2), (1, 1, 1)), "temporal": ((1, 2, 3), (1, 1, 3))}


def open_clip_block() -> tuple[Block, Naive, int]:
    backbone = OpenClipViT("fsarbench-tiny").double().eval()
    view = backbone.trunk.blocks[1]
    return view, of_open_clip(view.block), backbone.width


def timm_block() -> tuple[Block, Naive, int]:
    """A block of a model with a register: two tokens before the patches."""
    model = timm.create_model("test_vit").double().eval().requires_grad_(False)
    layer = model.blocks[1]
    return TimmBlock(layer, prefix=2), of_timm(layer), model.embed_dim


def depthwise(conv: nn.Conv3d, volume: Tensor, start: tuple[int, int, int]) -> Tensor:
    """Output of a depthwise convolution for the kernel that starts at one position of "T h w d"."""
    out = conv.bias.clone()
    for step in itertools.product(*(range(k) for k in conv.kernel_size)):
        at = [s + i for s, i in zip(start, step, strict=True)]
        if all(0 <= a < size for a, size in zip(at, volume.shape, strict=False)):
            out = out + conv.weight[(slice(None), 0, *step)] * volume[tuple(at)]
    return out


def trilinear(volume: Tensor, position: Tensor) -> Tensor:
    """Sample of "T h w d"; -1 and 1 are the centres of the first and last entry, 0 outside."""
    sizes = volume.shape[:3]
    exact = [(position[a] + 1) / 2 * (sizes[a] - 1) for a in range(3)]
    low = [math.floor(e.detach().item()) for e in exact]
    out = torch.zeros_like(volume[0, 0, 0])
    for corner in itertools.product((0, 1), repeat=3):
        at = [low[a] + corner[a] for a in range(3)]
        if all(0 <= at[a] < sizes[a] for a in range(3)):
            weight = torch.ones((), dtype=volume.dtype)
            for a in range(3):
                weight = weight * (1 - (exact[a] - at[a]).abs())
            out = out + weight * volume[tuple(at)]
    return out


def points(m: DeformableAttention, queries: Tensor) -> list[Tensor]:
    """Sampling positions of one head from its queries "T h w d"."""
    counts = [
        (size - k) // s + 1
        for size, k, s in zip(
            queries.shape, m.offset_conv.kernel_size, m.offset_conv.stride, strict=False
        )
    ]
    found = []
    for index in itertools.product(*(range(n) for n in counts)):
        start = tuple(i * s for i, s in zip(index, m.offset_conv.stride, strict=True))
        hidden = gelu(norm(m.offset_norm, depthwise(m.offset_conv, queries, start)[None]))[0]
        offset = torch.tanh(m.offset_out.weight @ hidden)
        regular = [(i + 0.5) / n * 2 - 1 for i, n in zip(index, counts, strict=True)]
        limits = [min(1.0, 2.0 / n) for n in counts]
        found.append(torch.stack([regular[a] + limits[a] * offset[a] for a in range(3)]))
    return found


def attention(m: DeformableAttention, hidden: Tensor, prefix: int) -> Tensor:
    """One clip "T L H"."""
    frames, length, width = hidden.shape
    normed = norm(m.norm, hidden.flatten(0, 1))
    queries = linear(m.query, normed)
    size = width // m.heads

    def patches(x: Tensor, at: slice) -> Tensor:
        return x.view(frames, length, width)[:, prefix:, at].reshape(frames, GRID, GRID, size)

    heads = [slice(h * size, (h + 1) * size) for h in range(m.heads)]
    positions = [points(m, patches(queries, at)) for at in heads]
    outside = [p for head in positions for p in head if p.abs().max() > 1]
    assert outside, "the test covers positions outside of the volume"
    # A sample has the channels of all heads, each read at the head's own position.
    sampled = torch.stack(
        [
            torch.cat(
                [
                    trilinear(patches(normed, at), where[i])
                    for at, where in zip(heads, positions, strict=True)
                ]
            )
            for i in range(len(positions[0]))
        ]
    )
    keys, values = linear(m.key, sampled), linear(m.value, sampled)
    rows = []
    for query in queries:
        parts = []
        for at in heads:
            weights = torch.softmax(keys[:, at] @ query[at] / math.sqrt(size), dim=0)
            parts.append(weights @ values[:, at])
        rows.append(torch.cat(parts))
    return linear(m.out, torch.stack(rows)).view(frames, length, width)


def clip(a: D2STAdapter, x: Tensor, prefix: int) -> Tensor:
    """Adapter of one clip "T L C" behind its block."""
    frames, length, _ = x.shape
    hidden = gelu(linear(a.down, x.flatten(0, 1))).view(frames, length, -1)
    volume = hidden[:, prefix:].reshape(frames, GRID, GRID, -1)
    encoded = hidden.clone()
    for t, i, j in itertools.product(range(frames), range(GRID), range(GRID)):
        encoding = depthwise(a.position, volume, (t - 1, i - 1, j - 1))
        encoded[t, prefix + i * GRID + j] = volume[t, i, j] + encoding
    spatial = encoded + attention(a.spatial, encoded, prefix)
    temporal = encoded + attention(a.temporal, encoded, prefix)
    out = linear(a.up, gelu((spatial + temporal) / 2).flatten(0, 1)).view(x.shape)
    return x + (gelu(out) if a.as_released else out)


@pytest.mark.parametrize("as_released", [True, False])
@pytest.mark.parametrize("library", [open_clip_block, timm_block])
def test_values_and_gradients(library: Any, as_released: bool) -> None:
    torch.manual_seed(0)
    view, plain, width = library()
    adapter = D2STAdapter(
        width, T, GRID, reduction=4, heads=2, **WINDOWS, as_released=as_released
    ).double()
    for name, parameter in adapter.named_parameters():
        # Large offsets, so that some positions are outside of the volume.
        nn.init.normal_(parameter, std=1.0 if "offset" in name else 0.2)
    tokens = torch.randn(
        V, T, view.prefix + GRID * GRID, width, dtype=torch.float64, requires_grad=True
    )
    got = adapter(tokens, view, None)
    block = along(SPACE, plain.plain, tokens)
    expected = torch.stack([clip(adapter, video, view.prefix) for video in block])
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)
    # The adapter does something.
    assert (got - view(tokens)).abs().max() > 1e-2
    direction = torch.randn_like(got)
    inputs = [tokens, *adapter.parameters()]
    ours = torch.autograd.grad((got * direction).sum(), inputs)
    theirs = torch.autograd.grad((expected * direction).sum(), inputs)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(
    ("frames", "grid", "spatial", "temporal"),
    [
        # The published windows: 2 x 4 x 4 and 8 x 2 x 2 points.
        (8, 14, ((4, 5, 5), (4, 3, 3)), ((1, 7, 7), (1, 7, 7))),
        (8, 7, ((4, 3, 3), (4, 3, 3)), ((1, 3, 3), (1, 3, 3))),
        (4, 4, ((2, 2, 2), (2, 2, 2)), ((1, 2, 2), (1, 2, 2))),
        (1, 2, ((1, 1, 1), (1, 1, 1)), ((1, 1, 1), (1, 1, 1))),
    ],
)
def test_default_windows_fit_the_volume(
    frames: int, grid: int, spatial: tuple[Any, Any], temporal: tuple[Any, Any]
) -> None:
    adapter = D2STAdapter(32, frames, grid)
    for pathway, (kernel, stride) in (("spatial", spatial), ("temporal", temporal)):
        conv = getattr(adapter, pathway).offset_conv
        assert (conv.kernel_size, conv.stride) == (kernel, stride)


def test_parameters_of_a_block_of_vit_b() -> None:
    c, h, d = 768, 192, 48
    linears = 4 * (h * h + h)
    offsets = 2 * d + 3 * d

    def pathway(kernel: int) -> int:
        return 2 * h + linears + (d * kernel + d) + offsets

    down, up, position = c * h + h, h * c + c, 27 * h + h
    expected = down + up + position + pathway(4 * 5 * 5) + pathway(7 * 7)
    assert expected == 606_192
    assert count_parameters(D2STAdapter(c, 8, 14)) == expected


def test_wrong_arguments_are_rejected() -> None:
    with pytest.raises(UserError, match=r"\[1, 5, 5\] of temporal exceeds the \[8, 4, 4\] frames"):
        D2STAdapter(32, 8, 4, temporal=((1, 5, 5), (1, 1, 1)))
    with pytest.raises(UserError, match="heads=3 must divide"):
        D2STAdapter(32, 8, 4, heads=3)
