"""TRX: prototypes that a query's tuples of frames ask for (Perrett et al., CVPR 2021)."""

from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import NotEmpty, PositiveInt, ShareWithZero
from fsarbench.errors import UserError
from fsarbench.explanation import MatchExplanation
from fsarbench.functional.pairwise import frame_cosines
from fsarbench.functional.tuples import (
    attended_distances,
    framewise,
    membership,
    products,
    squared_norms,
    strongest,
)
from fsarbench.interfaces import Matcher
from fsarbench.layers import sinusoids
from fsarbench.registry import MATCHERS

Cardinalities = Annotated[tuple[PositiveInt, ...], NotEmpty()]


class TupleAttention(nn.Module):
    """What TRX does with tuples of one size.

    Equal to concatenating the frames of each tuple and mapping them to keys and values, but
    nothing is done a tuple that can be done a frame (see `fsarbench.functional.tuples`).

    Args:
        dim: The feature width D.
        size: The frames of a tuple.
        key_dim: The width of keys and values.
        dropout: The share of the frames' features that is dropped in training.
    """

    def __init__(self, dim: int, size: int, key_dim: int, dropout: float) -> None:
        super().__init__()
        self.size = size
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        # The maps of all places in one. A bias of the values would fall out of the distance, since
        # the weights of a tuple add up to 1.
        self.key = nn.Linear(dim, size * key_dim, bias=False)
        self.value = nn.Linear(dim, size * key_dim, bias=False)
        self.key_bias = nn.Parameter(torch.empty(key_dim))
        self.norm = nn.LayerNorm(key_dim)
        bound = (size * dim) ** -0.5  # that of one map of the concatenated frames
        for parameter in (self.key.weight, self.value.weight, self.key_bias):
            nn.init.uniform_(parameter, -bound, bound)

    def forward(
        self, query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P T D"]
    ) -> Float[Tensor, "Q N"]:
        """The squared distance of a query's tuples to what they attend to, mean over tuples."""
        position = 0.1 * sinusoids(query)
        query, prototypes = self.dropout(query + position), self.dropout(prototypes + position)
        members = membership(query.shape[-2], self.size, query)
        pairs = self._pairs(self._keys(query), self._keys(prototypes), members)
        weights = (pairs @ members).flatten(-2)
        del pairs  # The largest tensor of all.
        # Distances do not change with the origin, and squares lose fewer digits near it.
        origin = prototypes.mean((0, 1, 2, 3))
        asked = self._places(self.value(query - origin))
        given = self._places(self.value(prototypes - origin))
        return attended_distances(asked, given.flatten(2, 3), weights, members).mean(-1)

    def _places(self, mapped: Float[Tensor, "*B T V"]) -> Float[Tensor, "*B F W"]:
        return mapped.unflatten(-1, (self.size, -1)).flatten(-3, -2)

    def _keys(self, frames: Float[Tensor, "*B T D"]) -> Float[Tensor, "*B F W"]:
        """What each frame in each place adds to a key, less its mean, as the norm wants it."""
        keys = self._places(self.key(frames)) + self.key_bias / self.size
        return keys - keys.mean(-1, keepdim=True)

    def attention(
        self, query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P T D"]
    ) -> Float[Tensor, "Q N U P U"]:
        """How much each tuple of a query takes of every tuple of a class; adds up to 1 for each."""
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
        likeness = members @ products(query * gain.square(), frames)
        # With the norm's shift of the query's key all scores change alike: it is left out.
        likeness = likeness * self._inverse(query, members)[:, None, :, None]
        likeness = likeness + (frames @ (gain * shift))[:, :, None]
        # Only here there is one number for each pair of tuples.
        pairs = likeness.unflatten(-1, support.shape[2:4]) @ members.T
        inverse = self._inverse(support, members) * query.shape[-1] ** -0.5
        # Step by step, so that no more than two such tensors are held at once.
        pairs = pairs * inverse[:, :, None]
        return pairs.flatten(-2).softmax(-1).unflatten(-1, inverse.shape[2:])

    def _inverse(
        self, keys: Float[Tensor, "*B F W"], members: Float[Tensor, "U F"]
    ) -> Float[Tensor, "*B U"]:
        """One over the standard deviation of every tuple's key."""
        return (squared_norms(keys, members) / keys.shape[-1] + self.norm.eps).rsqrt()


@MATCHERS.register_module()
class TRX(Matcher):
    """Temporal-relational CrossTransformers (Perrett et al., CVPR 2021).

    Every ordered tuple of a query's frames attends to all tuples of all P prototypes of a class;
    what it gets is the class's prototype for that tuple. The logit is minus their squared distance,
    mean over tuples, and mean over the sizes of tuples.

    Args:
        dim: The feature width D.
        cardinalities: The sizes of tuples.
        key_dim: The width of keys and values.
        dropout: The share of the frames' features that is dropped in training.
        frames: The number of frames T where it is known, to be checked against `cardinalities`.

    Raises:
        UserError: A size is below 1, above `frames`, or there is none.

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
        if frames is not None and max(sizes) > frames:
            raise UserError(
                f"TRX: cardinalities is {sizes}, expected at most the {frames} frames of a clip."
            )
        self.attentions = nn.ModuleList(TupleAttention(dim, n, key_dim, dropout) for n in sizes)

    def forward(
        self, query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P T D"]
    ) -> Float[Tensor, "Q N"]:
        """Minus the mean over sizes of the distances."""
        distances = [attention(query, prototypes) for attention in self.attentions]
        return -torch.stack(distances).mean(0)

    def explain(
        self, query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P T D"]
    ) -> MatchExplanation:
        """The cosines, what frames give each other through their tuples, the strongest tuples."""
        frames = query.shape[1]
        modules = [m for m in self.attentions if isinstance(m, TupleAttention)]
        pairs = [(m.size, m.attention(query, prototypes)) for m in modules]
        weights = torch.stack([framewise(found, frames, size) for size, found in pairs]).mean(0)
        caption = "what a query's frame takes of a frame through its tuples; each row adds up to 1"
        return MatchExplanation(
            frame_cosines(query, prototypes), weights, caption, strongest(pairs, frames)
        )
