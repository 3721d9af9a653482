"""Where a frame stands in time."""

import torch
from jaxtyping import Float
from torch import Tensor


def sinusoids(like: Float[Tensor, "*B T D"]) -> Float[Tensor, "T D"]:
    """The positional encoding of Vaswani et al. (NeurIPS 2017) for such features.

    Example:
        >>> sinusoids(torch.zeros(2, 4))
        tensor([[0.0000, 1.0000, 0.0000, 1.0000],
                [0.8415, 0.5403, 0.0100, 0.9999]])
    """
    frames, dim = like.shape[-2:]
    steps = torch.arange(frames, device=like.device, dtype=like.dtype)
    pairs = torch.arange(0, dim, 2, device=like.device, dtype=like.dtype)
    angles = steps[:, None] * 10_000.0 ** (-pairs / dim)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)[:, :dim]
