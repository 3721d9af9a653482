"""Small layers that several parts are made of.

Attention is written with plain batched products: `nn.MultiheadAttention` takes other kernels by
mode and device, warns under `torch.vmap`, and is counted wrongly by operation counters.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.errors import UserError


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


class Bottleneck(nn.Module):
    """The adapter of AIM (Yang et al., ICLR 2023): down, GELU, up, without a skip.

    The up projection starts at zero, and with it the output.

    Args:
        width: The width of what goes in and comes out.
        hidden: The width in the middle.

    Example:
        >>> sum(p.numel() for p in Bottleneck(768, 192).parameters())
        295872
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        if hidden < 1:
            raise UserError(f"the bottleneck has no features left: reduction exceeds {width}.")
        self.down = nn.Linear(width, hidden)
        self.activation = nn.GELU()
        self.up = nn.Linear(hidden, width)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, tokens: Float[Tensor, "*B C"]) -> Float[Tensor, "*B C"]:
        """The change to the tokens; the caller adds it where the skip belongs."""
        return self.up(self.activation(self.down(tokens)))


class MultiHeadAttention(nn.Module):
    """Multi-head attention (Vaswani et al., NeurIPS 2017), four projections with bias.

    Values at the start are drawn as in `torch.nn.MultiheadAttention`.

    Args:
        dim: The width of queries, context and output.
        heads: The number of heads, a divisor of `dim`.

    Raises:
        UserError: `heads` does not divide `dim`.

    Example:
        >>> sum(p.numel() for p in MultiHeadAttention(512, 8).parameters()) == 4 * 512**2 + 4 * 512
        True
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        if heads < 1 or dim % heads:
            raise UserError(f"heads={heads} must divide the width dim={dim}.")
        self.heads = heads
        self.scale = (dim // heads) ** -0.5
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim)
        self.value = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, dim)
        self._draw(dim)

    def _draw(self, dim: int) -> None:
        # torch draws query, key and value as one matrix of 3 dim rows: the bound is that matrix's.
        bound = (6 / (4 * dim)) ** 0.5
        for layer in (self.query, self.key, self.value):
            nn.init.uniform_(layer.weight, -bound, bound)
        for layer in (self.query, self.key, self.value, self.out):
            nn.init.zeros_(layer.bias)

    def _split(self, tokens: Float[Tensor, "*B L D"]) -> Float[Tensor, "*B heads L d"]:
        return tokens.unflatten(-1, (self.heads, -1)).transpose(-2, -3)

    def forward(
        self, query: Float[Tensor, "*B L D"], context: Float[Tensor, "*B S D"]
    ) -> Float[Tensor, "*B L D"]:
        """Every query's mix of the context, which gives both keys and values."""
        keys, values = self._split(self.key(context)), self._split(self.value(context))
        likeness = self._split(self.query(query)) @ keys.transpose(-1, -2)
        mixed = (likeness * self.scale).softmax(-1) @ values
        return self.out(mixed.transpose(-2, -3).flatten(-2))


class FeedForward(nn.Module):
    """The two linear layers of a transformer block, with a GELU between.

    Args:
        dim: The width of what goes in and comes out.
        hidden: The width in the middle.

    Example:
        >>> sum(p.numel() for p in FeedForward(512, 2048).parameters())
        2099712
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.widen = nn.Linear(dim, hidden)
        self.activation = nn.GELU()
        self.narrow = nn.Linear(hidden, dim)

    def forward(self, tokens: Float[Tensor, "*B D"]) -> Float[Tensor, "*B D"]:
        """Each token on its own; no skip inside."""
        return self.narrow(self.activation(self.widen(tokens)))


class TemporalEmbedding(nn.Module):
    """A learnable vector a frame, zero at the start, on every token before the first block.

    Args:
        frames: Frames T of a clip.
        width: Token width C.
    """

    def __init__(self, frames: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.zeros(frames, width))

    def forward(self, tokens: Float[Tensor, "V T L C"]) -> Float[Tensor, "V T L C"]:
        """The tokens, each with its frame's vector added."""
        return tokens + self.embedding[:, None]


def is_norm(layer: nn.Module) -> bool:
    """Whether a layer normalises, by the name of its class: libraries have norms of their own.

    Example:
        >>> is_norm(nn.LayerNorm(4)), is_norm(nn.BatchNorm2d(4)), is_norm(nn.Linear(4, 4))
        (True, True, False)
    """
    return "Norm" in type(layer).__name__


class TransformerLayer(nn.Module):
    """One transformer layer whose queries and context may differ, the skip taken after the query.

    Args:
        dim: The width of everything.
        heads: Attention heads.
        hidden: The width inside the feed-forward part.
        dropout: The share of either part's output that is dropped in training.
        pre_norm: Normalise what enters a part; otherwise what leaves its skip.
    """

    def __init__(self, dim: int, heads: int, hidden: int, dropout: float, pre_norm: bool) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(dim, heads)
        self.feed_forward = FeedForward(dim, hidden)
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        # torch.vmap refuses dropout even at 0.
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.pre_norm = pre_norm

    def forward(
        self, query: Float[Tensor, "*B L D"], context: Float[Tensor, "*B S D"]
    ) -> Float[Tensor, "*B L D"]:
        """The query tokens after attending to the context, which is both keys and values."""
        if self.pre_norm:
            # One norm for query and context, as in CLIP-FSAR's layer.
            mixed = self.attention(self.norm1(query), self.norm1(context))
            query = query + self.dropout(mixed)
            return query + self.dropout(self.feed_forward(self.norm2(query)))
        query = self.norm1(query + self.dropout(self.attention(query, context)))
        return self.norm2(query + self.dropout(self.feed_forward(query)))
