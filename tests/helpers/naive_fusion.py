"""Reference implementations of the layers of CLIP-CPM2C, CLIP-SPM and MoLo, step by step."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fsarbench.layers import FrameDifferences, Gate, LayerAsReleased, TextFusion


def ready(module: Any) -> Any:
    """In float64 and in training mode without dropout, away from norms of gain 1 and shift 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    with torch.no_grad():
        for parameter in module.double().train().parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return module


def attended(layer: LayerAsReleased, tokens: Tensor) -> Tensor:
    """A transformer layer for tokens "L D", token by token and head by head."""
    norm, attention, heads = layer.norm1, layer.attention, layer.attention.heads
    wide = attention.query.weight.shape[0] // heads
    normed = [F.layer_norm(token, token.shape, norm.weight, norm.bias) for token in tokens]
    rows = []
    for token, own in zip(tokens, normed, strict=True):
        parts = []
        for head in range(heads):
            part = slice(head * wide, (head + 1) * wide)
            query = attention.query.weight[part] @ own
            scores = [query @ (attention.key.weight[part] @ x) / wide**0.5 for x in normed]
            weights = torch.softmax(torch.stack(scores), 0)
            values = [attention.value.weight[part] @ x for x in normed]
            parts.append(sum(w * value for w, value in zip(weights, values, strict=True)))
        mixed = token + attention.out.weight @ torch.cat(parts) + attention.out.bias
        network = layer.feed_forward
        inner = F.gelu(network.widen.weight @ mixed + network.widen.bias)
        rows.append(mixed + network.narrow.weight @ inner + network.narrow.bias)
    return torch.stack(rows)


def gated(gate: Gate | nn.Identity, features: Tensor) -> Tensor:
    """A vector times its shares, value by value; unchanged without a gate."""
    if isinstance(gate, nn.Identity):
        return features
    first, leaky, last, _ = gate.share
    hidden = first.weight @ features + first.bias
    hidden = torch.stack([x if x > 0 else leaky.negative_slope * x for x in hidden])
    return features / (1 + (-(last.weight @ hidden + last.bias)).exp())


def fused(fuse: TextFusion, video: Tensor, token: Tensor) -> Tensor:
    """Token and frames "S D" after the layer."""
    added = fuse.text_share * gated(fuse.gate_text, token)
    steps = [token, *(gated(fuse.gate_frames, frame) + added for frame in video)]
    return attended(fuse.layer, torch.stack(steps))


def differences(layer: FrameDifferences, video: Tensor) -> Tensor:
    """Motion between the frames of a video "S D"."""
    mixed = [*video]
    for conv in (layer.first, layer.second):
        mixed = [
            conv.bias
            + sum(
                conv.weight[:, :, step + 1] @ mixed[t + step]
                for step in (-1, 0, 1)
                if 0 <= t + step < len(video)
            )
            for t in range(len(video))
        ]
    return torch.stack(
        [
            (mixed[t + 1] - video[t]) / 2 + (mixed[t] - video[t + 1]) / 2
            for t in range(len(video) - 1)
        ]
    )
