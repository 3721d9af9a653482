"""The transformer layer that prototype builders share."""

from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.layers import FeedForward, MultiHeadAttention


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
