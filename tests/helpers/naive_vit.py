"""Reference implementation of a ViT block, token by token, for open_clip and timm."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass
class Naive:
    """Layers of one block of either library."""

    norm1: nn.LayerNorm
    norm2: nn.LayerNorm
    qkv: tuple[Tensor, Tensor]
    out: tuple[Tensor, Tensor]
    up: tuple[Tensor, Tensor]
    down: tuple[Tensor, Tensor]
    heads: int

    def msa(self, x: Tensor) -> Tensor:
        """Multi-head self-attention of one sequence "L C"."""
        return affine(self.out, self.mix(*affine(self.qkv, x).chunk(3, dim=-1)))

    def mix(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attention-weighted values, query by query and head by head."""
        size = q.shape[-1] // self.heads
        rows = []
        for i in range(q.shape[0]):
            heads = []
            for h in range(self.heads):
                at = slice(h * size, (h + 1) * size)
                weights = torch.softmax(k[:, at] @ q[i, at] / math.sqrt(size), dim=0)
                heads.append(weights @ v[:, at])
            rows.append(torch.cat(heads))
        return torch.stack(rows)

    def mlp(self, x: Tensor) -> Tensor:
        return affine(self.down, gelu(affine(self.up, x)))

    def plain(self, x: Tensor) -> Tensor:
        """Output of the block for one sequence "L C"."""
        x = x + self.msa(norm(self.norm1, x))
        return x + self.mlp(norm(self.norm2, x))


def of_open_clip(block: nn.Module) -> Naive:
    attention, mlp = block.attn, block.mlp
    return Naive(
        norm1=block.ln_1,
        norm2=block.ln_2,
        qkv=(attention.in_proj_weight, attention.in_proj_bias),
        out=(attention.out_proj.weight, attention.out_proj.bias),
        up=(mlp.c_fc.weight, mlp.c_fc.bias),
        down=(mlp.c_proj.weight, mlp.c_proj.bias),
        heads=attention.num_heads,
    )


def of_timm(block: nn.Module) -> Naive:
    attention, mlp = block.attn, block.mlp
    return Naive(
        norm1=block.norm1,
        norm2=block.norm2,
        qkv=(attention.qkv.weight, attention.qkv.bias),
        out=(attention.proj.weight, attention.proj.bias),
        up=(mlp.fc1.weight, mlp.fc1.bias),
        down=(mlp.fc2.weight, mlp.fc2.bias),
        heads=attention.num_heads,
    )


def affine(layer: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
    return torch.stack([layer[0] @ row + layer[1] for row in x])


def linear(layer: nn.Linear, x: Tensor) -> Tensor:
    return affine((layer.weight, layer.bias), x)


def gelu(x: Tensor) -> Tensor:
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def bottleneck(module: nn.Module, x: Tensor) -> Tensor:
    return linear(module.up, gelu(linear(module.down, x)))


def norm(layer: nn.LayerNorm, x: Tensor) -> Tensor:
    mean, var = x.mean(-1, keepdim=True), x.var(-1, unbiased=False, keepdim=True)
    return (x - mean) / (var + layer.eps).sqrt() * layer.weight + layer.bias


def along(axis: int, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """A function of sequences "L C", applied along one axis of "V T L C", sequence by sequence."""
    out = torch.empty_like(x)
    others = [range(n) if i != axis else [slice(None)] for i, n in enumerate(x.shape[:3])]
    for v in others[0]:
        for t in others[1]:
            for token in others[2]:
                out[v, t, token] = function(x[v, t, token])
    return out
