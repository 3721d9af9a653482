"""Layers shared by several components.

Attention is written with plain batched matrix products, because `nn.MultiheadAttention` chooses its
kernel by mode and device, warns under `torch.vmap`, and is miscounted by FLOP counters.
"""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.errors import UserError


def sinusoids(like: Float[Tensor, "*B T D"]) -> Float[Tensor, "T D"]:
    """Sinusoidal positional encoding (Vaswani et al., NeurIPS 2017) for features of this shape.

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


def squared_frequencies(like: Float[Tensor, "*B T D"]) -> Float[Tensor, "T D"]:
    """Positional encoding of the code of HyRSM and MoLo for features of this shape.

    Feature i has the frequency 10000^(-2 i / D): for the sines the square of the usual frequency
    (`sinusoids`), and for each cosine a lower one than for its sine.

    Example:
        >>> squared_frequencies(torch.zeros(2, 4))
        tensor([[0.0000e+00, 1.0000e+00, 0.0000e+00, 1.0000e+00],
                [8.4147e-01, 9.9995e-01, 1.0000e-04, 1.0000e+00]])
    """
    frames, dim = like.shape[-2:]
    steps = torch.arange(frames, device=like.device, dtype=like.dtype)
    features = torch.arange(dim, device=like.device, dtype=like.dtype)
    angles = steps[:, None] * 10_000.0 ** (-2 * features / dim)
    return torch.where(features % 2 == 0, angles.sin(), angles.cos())


def dropout_layer(rate: float) -> nn.Module:
    """Dropout, or the identity at rate 0, where `torch.vmap` would still reject dropout.

    Example:
        >>> dropout_layer(0.0)
        Identity()
    """
    return nn.Dropout(rate) if rate else nn.Identity()


class Bottleneck(nn.Module):
    """Bottleneck of AIM (Yang et al., ICLR 2023): down, GELU, up, without a skip connection.

    The up projection is initialised to zero, so the initial output is zero.

    Args:
        width: Input and output width.
        hidden: Hidden width.

    Example:
        >>> sum(p.numel() for p in Bottleneck(768, 192).parameters())
        295872
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        if hidden < 1:
            raise UserError(f"the bottleneck is empty: reduction exceeds the width {width}.")
        self.down = nn.Linear(width, hidden)
        self.activation = nn.GELU()
        self.up = nn.Linear(hidden, width)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, tokens: Float[Tensor, "*B C"]) -> Float[Tensor, "*B C"]:
        """Change of the tokens; the caller adds the skip connection."""
        return self.up(self.activation(self.down(tokens)))


class MultiHeadAttention(nn.Module):
    """Multi-head attention (Vaswani et al., NeurIPS 2017), four projections.

    Args:
        dim: Width of queries, context and output.
        heads: Number of heads, a divisor of `dim`.
        bias: Whether the projections of query, key and value have a bias.
        init: Initialisation of the projections: `attention` as in `torch.nn.MultiheadAttention`
            (biases are 0), `linear` as in `torch.nn.Linear` (biases are random).
        dropout: Dropout rate of the attention weights.
        head_width: Width of a head; None is `dim` divided by the number of heads.

    Raises:
        UserError: `heads` does not divide `dim`, without a `head_width`.

    Example:
        >>> sum(p.numel() for p in MultiHeadAttention(512, 8).parameters()) == 4 * 512**2 + 4 * 512
        True
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        bias: bool = True,
        init: Literal["attention", "linear"] = "attention",
        dropout: float = 0.0,
        head_width: int | None = None,
    ) -> None:
        super().__init__()
        if heads < 1 or (head_width is None and dim % heads):
            raise UserError(f"heads={heads} must divide the width dim={dim}.")
        self.heads = heads
        head_width = dim // heads if head_width is None else head_width
        inner = heads * head_width
        self.scale = head_width**-0.5
        self.query = nn.Linear(dim, inner, bias=bias)
        self.key = nn.Linear(dim, inner, bias=bias)
        self.value = nn.Linear(dim, inner, bias=bias)
        self.out = nn.Linear(inner, dim)
        self.dropout = dropout_layer(dropout)
        if init == "attention":
            self._draw(dim)

    def _draw(self, dim: int) -> None:
        # torch initialises query, key and value as one matrix of 3 dim rows, which sets the bound.
        bound = (6 / (4 * dim)) ** 0.5
        for layer in (self.query, self.key, self.value):
            nn.init.uniform_(layer.weight, -bound, bound)
        for layer in (self.query, self.key, self.value, self.out):
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def _split(self, tokens: Float[Tensor, "*B L D"]) -> Float[Tensor, "*B heads L d"]:
        return tokens.unflatten(-1, (self.heads, -1)).transpose(-2, -3)

    def forward(
        self, query: Float[Tensor, "*B L D"], context: Float[Tensor, "*B S D"]
    ) -> Float[Tensor, "*B L D"]:
        """Attention of the queries to the context, which provides both keys and values."""
        keys, values = self._split(self.key(context)), self._split(self.value(context))
        scores = self._split(self.query(query)) @ keys.transpose(-1, -2)
        mixed = self.dropout((scores * self.scale).softmax(-1)) @ values
        return self.out(mixed.transpose(-2, -3).flatten(-2))


def draw_by_head_width(attention: MultiHeadAttention) -> None:
    """Initialise an attention as the code of HyRSM and MPL does.

    Query, key and value are normal with the variance 2 / (dim + width of a head): a standard
    deviation of 0.0589 at width 512 and 8 heads, where attention as in torch has 0.0312. The output
    projection has the variance 1 / dim (0.0442), and its bias is random.
    """
    attention.out.reset_parameters()
    dim = attention.out.in_features
    for layer in (attention.query, attention.key, attention.value):
        nn.init.normal_(layer.weight, std=(2 / (dim + dim // attention.heads)) ** 0.5)
    nn.init.xavier_normal_(attention.out.weight)


class FeedForward(nn.Module):
    """Feed-forward network of a transformer block: linear, GELU, linear.

    Args:
        dim: Input and output width.
        hidden: Hidden width.
        dropout: Dropout rate of the hidden units and of the output.

    Example:
        >>> sum(p.numel() for p in FeedForward(512, 2048).parameters())
        2099712
    """

    def __init__(self, dim: int, hidden: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.widen = nn.Linear(dim, hidden)
        self.activation = nn.GELU()
        self.narrow = nn.Linear(hidden, dim)
        self.dropout = dropout_layer(dropout)

    def forward(self, tokens: Float[Tensor, "*B D"]) -> Float[Tensor, "*B D"]:
        """Transformed tokens, without a skip connection."""
        hidden = self.dropout(self.activation(self.widen(tokens)))
        return self.dropout(self.narrow(hidden))


class TemporalEmbedding(nn.Module):
    """Learnable embedding of each frame, initialised to zero, added before the first block.

    Args:
        frames: Frames T of a clip.
        width: Token width C.
        before_norm: Whether a trunk with a norm in front of its first block (CLIP's) adds it before
            that norm; `fsarbench.backbones.vit.ViT` reads this attribute of any entry module.
    """

    def __init__(self, frames: int, width: int, before_norm: bool = False) -> None:
        super().__init__()
        self.before_norm = before_norm
        self.embedding = nn.Parameter(torch.zeros(frames, width))

    def forward(self, tokens: Float[Tensor, "V T L C"]) -> Float[Tensor, "V T L C"]:
        """Tokens plus the embedding of their frame."""
        return tokens + self.embedding[:, None]


def is_norm(layer: nn.Module) -> bool:
    """Whether a layer is a normalisation, by its class name (libraries define their own norms).

    Example:
        >>> is_norm(nn.LayerNorm(4)), is_norm(nn.BatchNorm2d(4)), is_norm(nn.Linear(4, 4))
        (True, True, False)
    """
    return "Norm" in type(layer).__name__


class TransformerLayer(nn.Module):
    """Transformer layer with cross-attention from queries to a context.

    Args:
        dim: Token width.
        heads: Number of attention heads.
        hidden: Hidden width of the feed-forward network.
        dropout: Dropout rate after attention and feed-forward network.
        pre_norm: Normalise before attention and feed-forward network (True), or after their skip
            connections (False).
    """

    def __init__(self, dim: int, heads: int, hidden: int, dropout: float, pre_norm: bool) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(dim, heads)
        self.feed_forward = FeedForward(dim, hidden)
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.dropout = dropout_layer(dropout)
        self.pre_norm = pre_norm

    def forward(
        self, query: Float[Tensor, "*B L D"], context: Float[Tensor, "*B S D"]
    ) -> Float[Tensor, "*B L D"]:
        """Query tokens after attending to the context, which provides keys and values."""
        if self.pre_norm:
            # Query and context share one norm, as in CLIP-FSAR's layer.
            mixed = self.attention(self.norm1(query), self.norm1(context))
            query = query + self.dropout(mixed)
            return query + self.dropout(self.feed_forward(self.norm2(query)))
        query = self.norm1(query + self.dropout(self.attention(query, context)))
        return self.norm2(query + self.dropout(self.feed_forward(query)))


class LayerAsReleased(nn.Module):
    """Transformer layer of CLIP-FSAR's and MoLo's code: no norm before the feed-forward network.

    The projections of query, key and value have no bias, and all linear layers are initialised as
    in `torch.nn.Linear` (at width 512 a standard deviation of 0.0255, where attention as in torch
    has 0.0312, and a random bias of the output projection).

    Args:
        dim: Token width.
        heads: Number of attention heads.
        hidden: Hidden width of the feed-forward network.
        dropout: Dropout rate after the attention.
        inner_dropout: Dropout rate of the hidden units and the output of the feed-forward network.
        head_width: Width of a head; None is `dim` divided by the number of heads.

    Example:
        >>> sum(p.numel() for p in LayerAsReleased(1024, 8, 2048, 0.2, 0.05).parameters())
        8394752
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        hidden: int,
        dropout: float,
        inner_dropout: float,
        *,
        head_width: int | None = None,
    ) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(
            dim, heads, bias=False, init="linear", head_width=head_width
        )
        self.feed_forward = FeedForward(dim, hidden, inner_dropout)
        self.norm1 = nn.LayerNorm(dim)
        self.dropout = dropout_layer(dropout)

    def forward(
        self, query: Float[Tensor, "*B L D"], context: Float[Tensor, "*B S D"]
    ) -> Float[Tensor, "*B L D"]:
        """Query tokens after attending to the context."""
        mixed = self.attention(self.norm1(query), self.norm1(context))
        query = query + self.dropout(mixed)
        return query + self.feed_forward(query)


class FrameDifferences(nn.Module):
    """Motion between neighbouring frames, in both directions of time (CLIP-CPM2C).

    With y the frames x after two convolutions over time, the motion after frame t is the mean of
    the forward difference y[t + 1] - x[t] and the backward difference y[t] - x[t + 1].

    Args:
        dim: Feature width.

    Example:
        >>> FrameDifferences(4)(torch.ones(3, 8, 4)).shape
        torch.Size([3, 7, 4])
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(dim, dim, 3, padding=1)
        self.second = nn.Conv1d(dim, dim, 3, padding=1)

    def forward(self, frames: Float[Tensor, "V T D"]) -> Float[Tensor, "V T2 D"]:
        """Motion of every video, one step less than frames."""
        mixed = self.second(self.first(frames.transpose(1, 2))).transpose(1, 2)
        forward = mixed[:, 1:] - frames[:, :-1]
        backward = mixed[:, :-1] - frames[:, 1:]
        return (forward + backward) / 2


class Gate(nn.Module):
    """Features times a share between 0 and 1 for each value (CLIP-SPM, arXiv 2512.19036).

    Args:
        dim: Feature width.
        ratio: Hidden width relative to `dim`.
        slope: Slope of the leaky ReLU for negative inputs.
    """

    def __init__(self, dim: int, ratio: float, slope: float) -> None:
        super().__init__()
        hidden = max(int(dim * ratio), 1)
        self.share = nn.Sequential(
            nn.Linear(dim, hidden), nn.LeakyReLU(slope), nn.Linear(hidden, dim), nn.Sigmoid()
        )

    def forward(self, features: Float[Tensor, "*B D"]) -> Float[Tensor, "*B D"]:
        """Gated features."""
        return features * self.share(features)


class TextFusion(nn.Module):
    """Transformer layer over a text token and the frames of a video, to which the text is added.

    Args:
        layer: Transformer layer.
        text_share: Factor of the text that is added to every frame.
        gates: Gates of the text and of the frames before they are added; None has none.
    """

    def __init__(
        self, layer: LayerAsReleased, text_share: float, gates: tuple[Gate, Gate] | None = None
    ) -> None:
        super().__init__()
        self.layer = layer
        self.text_share = text_share
        self.gate_text: nn.Module = gates[0] if gates else nn.Identity()
        self.gate_frames: nn.Module = gates[1] if gates else nn.Identity()

    def forward(
        self, frames: Float[Tensor, "*B T D"], token: Float[Tensor, "*B 1 D"]
    ) -> Float[Tensor, "*B T2 D"]:
        """Text token and frames after attention to each other, the token first."""
        mixed = self.gate_frames(frames) + self.text_share * self.gate_text(token)
        steps = torch.cat([token, mixed], dim=-2)
        return self.layer(steps, steps)


# Axes of tokens "V T L C".
VIDEOS, TIME, SPACE = 0, 1, 2


def attend_along(
    axis: int, normed: Float[Tensor, "V T L C"], attend: Callable[[Tensor], Tensor]
) -> Float[Tensor, "V T L C"]:
    """Self-attention of the tokens along one axis.

    Args:
        axis: `VIDEOS`, `TIME` or `SPACE`.
        normed: Normalised tokens.
        attend: Self-attention over the second last axis, such as that of a frozen block.
    """
    return attend(normed.transpose(axis, SPACE)).transpose(axis, SPACE)
