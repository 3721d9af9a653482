"""Distance of frame tuples to the nearest tuple of a class (STRM, Thatipelli et al., CVPR 2022)."""

from collections.abc import Iterator
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import NotEmpty, PositiveInt, ShareWithZero
from fsarbench.explanation import MatchExplanation
from fsarbench.functional.pairwise import frame_cosines
from fsarbench.functional.tuples import framewise, membership, require_tuple_size, strongest
from fsarbench.interfaces import Matcher
from fsarbench.layers import dropout_layer
from fsarbench.registry import MATCHERS

Cardinalities = Annotated[tuple[PositiveInt, ...], NotEmpty()]


class TupleMap(nn.Module):
    """Rectified linear map of all frame tuples of one size, without concatenating their frames.

    Args:
        dim: Feature width D.
        size: Frames per tuple.
        hidden: Width of the output.
    """

    def __init__(self, dim: int, size: int, hidden: int) -> None:
        super().__init__()
        self.size = size
        # One linear map for all positions in a tuple, initialised as one map of the whole tuple.
        self.linear = nn.Linear(dim, size * hidden, bias=False)
        self.bias = nn.Parameter(torch.empty(hidden))
        bound = (size * dim) ** -0.5
        for parameter in (self.linear.weight, self.bias):
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, frames: Float[Tensor, "*B T D"]) -> Float[Tensor, "*B U W"]:
        """One row per ordered tuple."""
        mapped = self.linear(frames).unflatten(-1, (self.size, -1)).flatten(-3, -2)
        return (membership(frames.shape[-2], self.size, frames) @ mapped + self.bias).relu()


@MATCHERS.register_module()
class TupleMinimum(Matcher):
    """Query-class similarity of STRM (Thatipelli et al., CVPR 2022, arXiv 2112.05132).

    Every ordered tuple of frames is mapped by one linear layer and a ReLU. The distance of a query
    to a class is the Euclidean distance of each of its tuples to the nearest tuple of all P
    prototypes, averaged over the query's tuples and over the tuple sizes.

    Args:
        dim: Feature width D.
        cardinalities: Tuple sizes.
        hidden: Width of the mapped tuples; None is half of `dim`.
        dropout: Dropout rate of the frames' features.
        trainable: Whether the linear layer is trainable. In the authors' code it keeps its initial
            weights, because no optimizer receives them.
        frames: Number of frames T, if known, to check `cardinalities`.

    Raises:
        UserError: `cardinalities` is empty, or a size is below 1 or above `frames`.

    Example:
        >>> TupleMinimum(4)(torch.ones(2, 8, 4), torch.ones(1, 5, 3, 8, 4)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        dim: int,
        cardinalities: Cardinalities = (2,),
        hidden: PositiveInt | None = None,
        dropout: ShareWithZero = 0.1,
        trainable: bool = True,
        frames: int | None = None,
    ) -> None:
        super().__init__()
        sizes = list(cardinalities)
        require_tuple_size("TupleMinimum", "cardinalities", sizes, max(sizes), frames)
        width = max(dim // 2, 1) if hidden is None else hidden
        self.dropout = dropout_layer(dropout)
        self.maps = nn.ModuleList(TupleMap(dim, size, width) for size in sizes)
        self.maps.requires_grad_(trainable)

    def forward(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N"]:
        """Negative distances, averaged over tuple sizes."""
        query, prototypes = self.dropout(query), self.dropout(prototypes)
        distances = [
            pairs.flatten(-2).amin(-1).mean(-1) for _, pairs in self._distances(query, prototypes)
        ]
        return -torch.stack(distances).mean(0)

    def explain(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> MatchExplanation:
        """Cosine similarities, and the nearest tuple of every tuple of the query."""
        frames, pairs = query.shape[1], []
        for size, distances in self._distances(query, prototypes):
            flat = distances.flatten(-2)
            nearest = torch.zeros_like(flat).scatter(-1, flat.argmin(-1, keepdim=True), 1.0)
            pairs.append((size, nearest.unflatten(-1, distances.shape[-2:])))
        weights = torch.stack([framewise(pair, frames, size) for size, pair in pairs]).mean(0)
        caption = "share of a query frame's tuples whose nearest tuple has that frame in its place"
        links = strongest(pairs, frames)
        return MatchExplanation(frame_cosines(query, prototypes), weights, caption, links)

    def _distances(
        self, query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P S D"]
    ) -> Iterator[tuple[int, Float[Tensor, "Q N U P U"]]]:
        """Yield each tuple size with the distances between all tuples of this size."""
        for layer in self.maps:
            assert isinstance(layer, TupleMap)
            query_tuples, class_tuples = layer(query), layer(prototypes)
            squares = query_tuples.square().sum(-1)[:, None, :, None, None]
            squares = squares + class_tuples.square().sum(-1).unsqueeze(2)
            squares = squares - 2 * tuple_products(query_tuples, class_tuples)
            # The gradient of a square root is infinite at 0. The clamp sets it to 0 there.
            yield layer.size, squares.clamp(min=torch.finfo(squares.dtype).tiny).sqrt()


def tuple_products(
    query: Float[Tensor, "Q U W"], prototypes: Float[Tensor, "#Q N P U2 W"]
) -> Float[Tensor, "Q N U P U2"]:
    """Inner products of every query tuple with every tuple of every class."""
    if prototypes.shape[0] == 1:
        # One product for all queries, without a copy of the prototypes for each of them.
        return torch.einsum("quw,npvw->qnupv", query, prototypes[0])
    return torch.einsum("quw,qnpvw->qnupv", query, prototypes)
