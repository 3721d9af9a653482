"""TRX: query-specific prototypes by attention between frame tuples (Perrett et al., CVPR 2021)."""

from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import NotEmpty, PositiveInt, ShareWithZero
from fsarbench.explanation import MatchExplanation
from fsarbench.functional.pairwise import frame_cosines
from fsarbench.functional.tuples import (
    attended_distances,
    framewise,
    membership,
    products,
    require_tuple_size,
    squared_norms,
    strongest,
)
from fsarbench.interfaces import Matcher
from fsarbench.layers import sinusoids
from fsarbench.registry import MATCHERS

Cardinalities = Annotated[tuple[PositiveInt, ...], NotEmpty()]


class TupleAttention(nn.Module):
    """Cross-attention between the frame tuples of one size.

    Equivalent to mapping the concatenated frames of each tuple to keys and values, but computed per
    frame instead of per tuple wherever possible (see `fsarbench.functional.tuples`).

    Args:
        dim: Feature width D.
        size: Frames per tuple.
        key_dim: Width of keys and values.
        dropout: Dropout rate of the frames' features.
    """

    def __init__(self, dim: int, size: int, key_dim: int, dropout: float) -> None:
        super().__init__()
        self.size = size
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        # One linear map for all positions in a tuple. A bias of the values would cancel in the
        # distance, since the attention weights of a tuple sum to 1.
        self.key = nn.Linear(dim, size * key_dim, bias=False)
        self.value = nn.Linear(dim, size * key_dim, bias=False)
        self.key_bias = nn.Parameter(torch.empty(key_dim))
        self.norm = nn.LayerNorm(key_dim)
        bound = (size * dim) ** -0.5  # as for one map of the concatenated frames
        for parameter in (self.key.weight, self.value.weight, self.key_bias):
            nn.init.uniform_(parameter, -bound, bound)

    def forward(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N"]:
        """Squared distance of a query's tuples to their attended prototypes, mean over tuples."""
        position = 0.1 * sinusoids(query)
        query, prototypes = self.dropout(query + position), self.dropout(prototypes + position)
        members = membership(query.shape[-2], self.size, query)
        pairs = self._pairs(self._keys(query), self._keys(prototypes), members)
        weights = (pairs @ members).flatten(-2)
        del pairs  # The largest tensor.
        # Distances do not depend on the origin; near it, squares lose less precision.
        origin = prototypes.mean((0, 1, 2, 3))
        query_values = self._positions(self.value(query - origin))
        support_values = self._positions(self.value(prototypes - origin)).flatten(2, 3)
        return attended_distances(query_values, support_values, weights, members).mean(-1)

    def _positions(self, mapped: Float[Tensor, "*B T V"]) -> Float[Tensor, "*B F W"]:
        return mapped.unflatten(-1, (self.size, -1)).flatten(-3, -2)

    def _keys(self, frames: Float[Tensor, "*B T D"]) -> Float[Tensor, "*B F W"]:
        """Contribution of each frame at each position to a key, centred for the layer norm."""
        keys = self._positions(self.key(frames)) + self.key_bias / self.size
        return keys - keys.mean(-1, keepdim=True)

    def attention(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N U P U"]:
        """Attention of each query tuple to all tuples of a class; sums to 1 per query tuple."""
        position = 0.1 * sinusoids(query)
        members = membership(query.shape[-2], self.size, query)
        keys = self._keys(query + position), self._keys(prototypes + position)
        return self._pairs(*keys, members)

    def _pairs(
        self,
        query: Float[Tensor, "Q F W"],
        support: Float[Tensor, "#Q N P F W"],
        members: Float[Tensor, "U F"],
    ) -> Float[Tensor, "Q N U P U"]:
        gain, shift = self.norm.weight, self.norm.bias
        frames = support.flatten(2, 3)
        scores = members @ products(query * gain.square(), frames)
        # The norm's shift of the query key adds the same value to all scores: it is left out.
        scores = scores * self._inverse(query, members)[:, None, :, None]
        scores = scores + (frames @ (gain * shift))[:, :, None]
        # From here on there is one number per pair of tuples.
        pairs = scores.unflatten(-1, support.shape[2:4]) @ members.T
        inverse = self._inverse(support, members) * query.shape[-1] ** -0.5
        # In separate steps, so that at most two such tensors exist at once.
        pairs = pairs * inverse[:, :, None]
        return pairs.flatten(-2).softmax(-1).unflatten(-1, inverse.shape[2:])

    def _inverse(
        self, keys: Float[Tensor, "*B F W"], members: Float[Tensor, "U F"]
    ) -> Float[Tensor, "*B U"]:
        """Inverse standard deviation of each tuple's key."""
        return (squared_norms(keys, members) / keys.shape[-1] + self.norm.eps).rsqrt()


@MATCHERS.register_module()
class TRX(Matcher):
    """Temporal-relational CrossTransformers (Perrett et al., CVPR 2021).

    Every ordered tuple of a query's frames attends to all tuples of all P prototypes of a class;
    the output is the class's prototype for that tuple. The logit is the negative squared distance
    of tuple and prototype, averaged over tuples and over tuple sizes.

    Args:
        dim: Feature width D.
        cardinalities: Tuple sizes.
        key_dim: Width of keys and values.
        dropout: Dropout rate of the frames' features.
        frames: Number of frames T, if known, to check `cardinalities`.

    Raises:
        UserError: `cardinalities` is empty, or a size is below 1 or above `frames`.

    Example:
        >>> TRX(4, key_dim=8)(torch.ones(2, 8, 4), torch.ones(1, 5, 3, 8, 4)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        dim: int,
        cardinalities: Cardinalities = (2, 3),
        key_dim: PositiveInt = 1152,
        dropout: ShareWithZero = 0.1,
        frames: int | None = None,
    ) -> None:
        super().__init__()
        sizes = list(cardinalities)
        require_tuple_size("TRX", "cardinalities", sizes, max(sizes), frames)
        self.attentions = nn.ModuleList(TupleAttention(dim, n, key_dim, dropout) for n in sizes)

    def forward(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N"]:
        """Negative distances, averaged over tuple sizes."""
        distances = [attention(query, prototypes) for attention in self.attentions]
        return -torch.stack(distances).mean(0)

    def explain(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> MatchExplanation:
        """Cosine similarities, attention of frames through their tuples, and strongest tuples."""
        frames = query.shape[1]
        modules = [m for m in self.attentions if isinstance(m, TupleAttention)]
        pairs = [(m.size, m.attention(query, prototypes)) for m in modules]
        per_size = [framewise(attention, frames, size) for size, attention in pairs]
        weights = torch.stack(per_size).mean(0)
        caption = "attention of a query's frame through its tuples; each row sums to 1"
        return MatchExplanation(
            frame_cosines(query, prototypes), weights, caption, strongest(pairs, frames)
        )
