"""Reference implementation of attention, with the weights of `MultiHeadAttention`."""

import torch
from torch import Tensor

from fsarbench.layers import MultiHeadAttention


def head_by_head(ours: MultiHeadAttention, tokens: Tensor) -> Tensor:
    """Self-attention of tokens "L D", token by token and head by head."""
    query, key, value = (m(tokens) for m in (ours.query, ours.key, ours.value))
    size = tokens.shape[-1] // ours.heads
    rows = []
    for token in range(len(tokens)):
        mixed = []
        for head in range(ours.heads):
            at = slice(head * size, (head + 1) * size)
            scores = torch.stack([query[token, at] @ k for k in key[:, at]]) / size**0.5
            weights = torch.softmax(scores, 0)
            mixed.append(sum(a * v for a, v in zip(weights, value[:, at], strict=True)))
        rows.append(ours.out(torch.cat(mixed)))
    return torch.stack(rows)
