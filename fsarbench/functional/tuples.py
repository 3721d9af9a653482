"""Ordered tuples of frames, compared without ever being put together (for TRX).

A linear map of concatenated frames is the sum of one map a place, each of a single frame. So all
that is asked of tuples, products and norms, comes from products of frames: with M the 0/1 matrix
that says which frame stands in which place of which tuple, and G the products of all frames in all
places, the products of all tuples are M G M'. Below, U counts tuples, F the frames of a video in
all places, and S those of all shots of a class.
"""

import itertools
import math
from collections.abc import Sequence
from functools import cache
from itertools import combinations

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.explanation import Link


@cache
def ordered_tuples(frames: int, size: int) -> tuple[tuple[int, ...], ...]:
    """All ways of taking `size` of the frames in the order of time.

    Example:
        >>> ordered_tuples(3, 2)
        ((0, 1), (0, 2), (1, 2))
    """
    return tuple(combinations(range(frames), size))


def membership(frames: int, size: int, like: Tensor) -> Float[Tensor, "U F"]:
    """The matrix M: 1 where a tuple has that frame in that place, else 0.

    Args:
        frames: The number of frames.
        size: The number of places of a tuple.
        like: Whose type and device the matrix gets.

    Example:
        >>> membership(3, 2, torch.ones(1))[1]  # frame 0 in place 0, frame 2 in place 1
        tensor([1., 0., 0., 0., 0., 1.])
    """
    frame = torch.tensor(ordered_tuples(frames, size), device=like.device)
    place = torch.arange(size, device=like.device)
    cells = torch.arange(frames * size, device=like.device)
    return (cells == (frame * size + place)[..., None]).sum(1).to(like.dtype)


def products(
    query: Float[Tensor, "Q F W"], support: Float[Tensor, "#Q N S W"]
) -> Float[Tensor, "Q N F S"]:
    """The products of every frame of a query with every frame of every class."""
    if support.shape[0] == 1:
        return torch.einsum("qfw,nsw->qnfs", query, support[0])
    return torch.einsum("qfw,qnsw->qnfs", query, support)


def squared_norms(
    frames: Float[Tensor, "*B F W"], members: Float[Tensor, "U F"]
) -> Float[Tensor, "*B U"]:
    """The squared norm of every tuple."""
    own = members @ (frames @ frames.transpose(-1, -2))
    return (own * members).sum(-1).clamp(min=0)  # rounding alone could bring it below


def attended_distances(
    query: Float[Tensor, "Q F W"],
    support: Float[Tensor, "#Q N S W"],
    weights: Float[Tensor, "Q N U S"],
    members: Float[Tensor, "U F"],
) -> Float[Tensor, "Q N U"]:
    """The squared distance of every tuple of a query to a weighted sum of a class's tuples.

    Args:
        query: The frames of queries in all places.
        support: The frames of all shots of a class in all places.
        weights: The weight of every such frame, for each tuple of a query.
        members: The matrix M.
    """
    own = squared_norms(query, members)[:, None]
    crossed = ((members @ products(query, support)) * weights).sum(-1)
    among = ((weights @ (support @ support.transpose(-1, -2))) * weights).sum(-1)
    return own - 2 * crossed + among


def framewise(
    pairs: Float[Tensor, "Q N U P U"], frames: int, size: int
) -> Float[Tensor, "Q N P T S"]:
    """How much each frame of a query takes of each frame of a class, place by place.

    Args:
        pairs: How much each tuple takes of each, which adds up to 1 over the tuples of a class.
        frames: The frames of a video.
        size: The frames of a tuple.

    Returns:
        The same for frames: every frame's row adds up to 1 over the frames of a class.
    """
    places = membership(frames, size, pairs).unflatten(-1, (frames, size))
    taken = torch.einsum("utc,qnupv,vsc->qnpts", places, pairs, places)
    return taken / math.comb(frames - 1, size - 1)


def strongest(
    pairs: Sequence[tuple[int, Float[Tensor, "Q N _ P _"]]], frames: int, most: int = 5
) -> dict[tuple[int, int], list[Link]]:
    """The tuples that a query's tuples take most of, by query and class.

    Args:
        pairs: Sizes of tuples, and how much each tuple of that size takes of each.
        frames: The frames of a video.
        most: How many are kept of all sizes together.
    """
    queries, way = pairs[0][1].shape[:2]
    found = {}
    for place in itertools.product(range(queries), range(way)):
        largest = [_largest(each[place], ordered_tuples(frames, n), most) for n, each in pairs]
        found[place] = sorted(itertools.chain(*largest), key=lambda link: -link.weight)[:most]
    return found


def _largest(
    pairs: Float[Tensor, "U P U"], tuples: Sequence[tuple[int, ...]], most: int
) -> list[Link]:
    found = pairs.flatten().topk(min(most, pairs.numel()))
    each = zip(found.values.tolist(), found.indices.tolist(), strict=True)
    shots, count = pairs.shape[1:]
    return [
        Link(tuples[i // (shots * count)], i // count % shots, tuples[i % count], weight)
        for weight, i in each
    ]
