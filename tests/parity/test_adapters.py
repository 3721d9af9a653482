"""Adapters match their papers' equations, token by token in float64, on blocks of two libraries.

Tokens are "V T L C"; axis 0 is videos, 1 time, 2 the tokens of a frame.
"""

from collections.abc import Callable

import pytest
import timm
import torch
from torch import Tensor, nn

from fsarbench.adapters.adapt_former import AdaptFormer
from fsarbench.adapters.aim import AIM
from fsarbench.adapters.dia import BidirectionalBottleneck, DiA
from fsarbench.adapters.lora import LoRA
from fsarbench.adapters.task_adapter import TaskAdapter
from fsarbench.adapters.visual_prompts import VisualPrompts
from fsarbench.backbones.openclip_vit import OpenClipViT
from fsarbench.backbones.timm_vit import TimmBlock
from fsarbench.interfaces import Adapter, Block
from tests.helpers.naive_vit import (
    Naive,
    affine,
    along,
    bottleneck,
    gelu,
    linear,
    norm,
    of_open_clip,
    of_timm,
)

V, T, L = 2, 3, 5
VIDEOS, TIME, SPACE = 0, 1, 2


def open_clip_block() -> tuple[Block, Naive, int]:
    backbone = OpenClipViT("fsarbench-tiny").double().eval()
    view = backbone.trunk.blocks[1]
    # CLIP's random attention is nearly uniform; larger weights make wrong wiring visible.
    nn.init.normal_(view.block.attn.in_proj_weight, std=0.2)
    return view, of_open_clip(view.block), backbone.width


def timm_block() -> tuple[Block, Naive, int]:
    model = timm.create_model("test_vit").double().eval().requires_grad_(False)
    layer = model.blocks[1]
    nn.init.normal_(layer.attn.qkv.weight, std=0.3)
    return TimmBlock(layer, prefix=1), of_timm(layer), model.embed_dim


def adapt_former(a: AdaptFormer, n: Naive, x: Tensor) -> Tensor:
    def frame(x: Tensor) -> Tensor:
        x = x + n.msa(norm(n.norm1, x))
        normed = norm(n.norm2, x)
        hidden = linear(a.down, normed if a.normed else x).clamp(min=0)
        return n.mlp(normed) + a.scale * linear(a.up, hidden) + x

    return along(SPACE, frame, x)


def visual_prompts(a: VisualPrompts, n: Naive, x: Tensor) -> Tensor:
    """Prompts are inserted after the class token, as in the paper."""

    def frame(x: Tensor) -> Tensor:
        out = n.plain(torch.cat([x[:1], a.prompts, x[1:]]))
        return torch.cat([out[:1], out[1 + len(a.prompts) :]])

    return along(SPACE, frame, x)


def lora(a: LoRA, n: Naive, x: Tensor) -> Tensor:
    """Frozen path and low-rank path in parallel, as in the paper's figure."""

    def path(name: str, x: Tensor) -> Tensor:
        if name not in a.changes:
            return torch.zeros((), dtype=x.dtype)
        change = a.changes[name]
        return torch.stack([2.0 / 3 * (change.b @ (change.a @ row)) for row in x])

    def frame(x: Tensor) -> Tensor:
        normed = norm(n.norm1, x)
        projected = affine(n.qkv, normed).chunk(3, dim=-1)
        mixed = n.mix(*(p + path(name, normed) for name, p in zip("qkv", projected, strict=True)))
        x = x + affine(n.out, mixed) + path("o", mixed)
        normed = norm(n.norm2, x)
        hidden = gelu(affine(n.up, normed) + path("up", normed))
        return x + affine(n.down, hidden) + path("down", hidden)

    return along(SPACE, frame, x)


def aim(a: AIM, n: Naive, x: Tensor) -> Tensor:
    def over_time(x: Tensor) -> Tensor:
        normed = norm(n.norm1, x)
        if a.before_time is not None:
            normed = normed + bottleneck(a.before_time, normed)
        return bottleneck(a.time, n.msa(normed))

    def over_space(x: Tensor) -> Tensor:
        attended = n.msa(norm(n.norm1, x))
        return attended + bottleneck(a.space, attended)

    x = x + along(TIME, over_time, x)
    x = x + along(SPACE, over_space, x)
    return x + along(SPACE, lambda y: jointly(a, n, y), x)


def jointly(a: nn.Module, n: Naive, x: Tensor) -> Tensor:
    normed = norm(n.norm2, x)
    return n.mlp(normed) + a.scale * bottleneck(a.joint_adaptation, normed)


def directions(b: BidirectionalBottleneck, x: Tensor) -> Tensor:
    """Frames "T C" of one token position."""
    hidden = linear(b.down, x)
    frames, kernel = len(x), b.causal.kernel_size[0]
    rows = []
    for t in range(frames):
        forwards, backwards = b.causal.bias, b.anti_causal.bias
        for i in range(kernel):
            # The last entry of the causal kernel and the first of the other is the current frame.
            past, future = hidden[max(t - i, 0)], hidden[min(t + i, frames - 1)]
            forwards = forwards + b.causal.weight[:, 0, kernel - 1 - i, 0] * past
            backwards = backwards + b.anti_causal.weight[:, 0, i, 0] * future
        logits = b.logits if b.gate is None else linear(b.gate, hidden[t][None])
        share = 1 / (1 + torch.exp(logits[:, 1] - logits[:, 0]))
        rows.append(share * forwards + (1 - share) * backwards)
    return linear(b.up, gelu(torch.stack(rows)))


def dia(a: DiA, n: Naive, x: Tensor) -> Tensor:
    def added(bottleneck: BidirectionalBottleneck, x: Tensor, branch: Tensor) -> Tensor:
        source = x + branch if a.reads == "stream" else branch
        change = along(TIME, lambda y: directions(bottleneck, y), source)
        if not a.adapts_prefix:
            change = torch.cat([torch.zeros_like(change[:, :, :1]), change[:, :, 1:]], dim=2)
        return x + branch + change

    x = added(a.after_attention, x, along(SPACE, lambda y: n.msa(norm(n.norm1, y)), x))
    return added(a.after_mlp, x, along(SPACE, lambda y: n.mlp(norm(n.norm2, y)), x))


def task_adapter(a: TaskAdapter, n: Naive, x: Tensor) -> Tensor:
    inner = a.adapted

    def over_space(x: Tensor) -> Tensor:
        attended = n.msa(norm(n.norm1, x))
        return attended + bottleneck(inner.space, attended)

    x = x + along(TIME, lambda y: bottleneck(inner.time, n.msa(norm(n.norm1, y))), x)
    x = x + along(SPACE, over_space, x)
    x = x + along(VIDEOS, lambda y: bottleneck(inner.task, n.msa(norm(n.norm1, y))), x)
    return x + along(SPACE, lambda y: jointly(inner, n, y), x)


Case = tuple[Callable[[int, int], Adapter], Callable[..., Tensor]]
CASES: dict[str, Case] = {
    "AdaptFormer": (lambda c, m: AdaptFormer(c, bottleneck=6), adapt_former),
    "AdaptFormer, released": (lambda c, m: AdaptFormer(c, scale=0.3, normed=False), adapt_former),
    "VisualPrompts": (lambda c, m: VisualPrompts(c, prompts=3), visual_prompts),
    "LoRA": (lambda c, m: LoRA(c, m, rank=3, alpha=2.0), lora),
    "LoRA, all": (
        lambda c, m: LoRA(c, m, rank=3, alpha=2.0, projections=("q", "k", "v", "o", "mlp")),
        lora,
    ),
    "LoRA, output": (lambda c, m: LoRA(c, m, rank=3, alpha=2.0, projections=("o",)), lora),
    "AIM": (lambda c, m: AIM(c, T), aim),
    "AIM, two temporal": (lambda c, m: AIM(c, T, temporal=2, scale=0.7), aim),
    "DiA": (lambda c, m: DiA(c, reduction=8), dia),
    "DiA, shared weights": (lambda c, m: DiA(c, reduction=8, kernel=2, mix="shared"), dia),
    "DiA, weights per token": (
        lambda c, m: DiA(c, reduction=8, kernel=2, mix="token", reads="branch"),
        dia,
    ),
    "DiA, patches": (lambda c, m: DiA(c, reduction=8, kernel=1, tokens="patches"), dia),
    "TaskAdapter": (lambda c, m: TaskAdapter(c, T, 4, 3, scale=0.6), task_adapter),
}


@pytest.mark.parametrize("library", [open_clip_block, timm_block])
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients(case: str, library: Callable[[], tuple[Block, Naive, int]]) -> None:
    torch.manual_seed(0)
    view, plain, width = library()
    make, naive = CASES[case]
    adapter = make(width, len(plain.up[0])).double()
    for parameter in adapter.parameters():
        nn.init.normal_(parameter, std=0.1)
    tokens = torch.randn(V, T, L, width, dtype=torch.float64, requires_grad=True)
    got, expected = adapter(tokens, view, None), naive(adapter, plain, tokens)
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)
    # The adapter does something.
    assert (got - view(tokens)).abs().max() > 1e-2
    direction = torch.randn_like(got)
    inputs = [tokens, *adapter.parameters()]
    ours = torch.autograd.grad((got * direction).sum(), inputs)
    theirs = torch.autograd.grad((expected * direction).sum(), inputs)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("library", [open_clip_block, timm_block])
@torch.no_grad()
def test_lora_without_gradient_runs_the_same(
    library: Callable[[], tuple[Block, Naive, int]],
) -> None:
    """In evaluation mode open_clip's attention uses another kernel, also with updated weights."""
    torch.manual_seed(0)
    view, plain, width = library()
    adapter = LoRA(width, len(plain.up[0]), rank=3, alpha=2.0, projections=("k", "o")).double()
    for parameter in adapter.parameters():
        nn.init.normal_(parameter, std=0.1)
    tokens = torch.randn(V, T, L, width, dtype=torch.float64)
    torch.testing.assert_close(adapter(tokens, view, None), lora(adapter, plain, tokens))
    # The frozen block itself is as it was.
    torch.testing.assert_close(view(tokens), along(SPACE, plain.plain, tokens))
