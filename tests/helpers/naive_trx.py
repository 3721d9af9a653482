"""Reference implementation of TRX: frames of a tuple are concatenated, then mapped."""

import itertools

import torch
from torch import Tensor
from torch.nn import functional as F

from fsarbench.matchers.trx import TRX, TupleAttention


def positions(frames: int, dim: int, like: Tensor) -> Tensor:
    """Sinusoidal positional encoding of Vaswani et al., divided by 10, entry by entry."""
    table = like.new_zeros(frames, dim)
    for position, entry in itertools.product(range(frames), range(dim)):
        angle = torch.tensor(position / 10_000 ** ((entry - entry % 2) / dim), dtype=like.dtype)
        table[position, entry] = (angle.cos() if entry % 2 else angle.sin()) / 10
    return table


def concatenated(videos: Tensor, size: int) -> Tensor:
    """All ordered tuples of frames of videos "... T D", as "... U size*D"."""
    tuples = itertools.combinations(range(videos.shape[-2]), size)
    return torch.stack([videos[..., list(frames), :].flatten(-2) for frames in tuples], -2)


def whole_map(weight: Tensor, size: int) -> Tensor:
    """Linear map of a concatenated tuple, "width size*D", from the maps of its positions."""
    return torch.cat(list(weight.unflatten(0, (size, -1))), dim=1)


def one_size(attention: TupleAttention, query: Tensor, shots: Tensor) -> Tensor:
    """Distances of queries "Q S F" to classes "N P S F", in the published form."""
    position = positions(query.shape[-2], query.shape[-1], query)
    tuples = [concatenated(videos + position, attention.size) for videos in (query, shots)]
    key, value = (whole_map(m.weight, attention.size) for m in (attention.key, attention.value))
    query_keys, class_keys = (attention.norm(F.linear(x, key, attention.key_bias)) for x in tuples)
    query_values, class_values = (F.linear(x, value) for x in tuples)
    distances = []
    for keys, values in zip(class_keys.flatten(1, 2), class_values.flatten(1, 2), strict=True):
        weights = (query_keys @ keys.T / len(key) ** 0.5).softmax(-1)
        gap = query_values - weights @ values
        distances.append(gap.square().sum((-1, -2)) / gap.shape[-2])
    return torch.stack(distances, -1)


def naive_trx(matcher: TRX, query: Tensor, shots: Tensor) -> Tensor:
    """Logits of queries "Q S F" for classes "N P S F", without dropout."""
    sizes = [one_size(attention, query, shots) for attention in matcher.attentions]  # type: ignore[arg-type]
    return -torch.stack(sizes).mean(0)
