"""Products and distances of ordered frame tuples, without concatenating frames (for TRX).

A linear map of concatenated frames is the sum of one map per position, each of a single frame.
Products and norms of tuples therefore follow from products of frames. With M the 0/1 matrix of
which frame is at which position of which tuple, and G the products of all frames at all positions,
the products of all tuples are M G M'. Below, U is the number of tuples, F the number of frames
times positions of a video, and S the number of frames times positions of all shots of a class.
"""

import itertools
import math
from collections.abc import Sequence
from functools import cache
from itertools import combinations

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.errors import UserError
from fsarbench.explanation import Link


def require_tuple_size(
    component: str, argument: str, value: object, largest: int, frames: int | None
) -> None:
    """Require tuples that are no longer than a clip.

    Args:
        component: Name of the calling component, for the message.
        argument: Name of its argument.
        value: Value of the argument.
        largest: Frames of the longest tuple.
        frames: Frames of a clip; None if unknown.

    Raises:
        UserError: A tuple has more frames than a clip.
    """
    if frames is not None and largest > frames:
        raise UserError(
            f"{component}: {argument} is {value}, expected at most the {frames} frames of a clip."
        )


@cache
def ordered_tuples(frames: int, size: int) -> tuple[tuple[int, ...], ...]:
    """All tuples of `size` frames in temporal order.

    Example:
        >>> ordered_tuples(3, 2)
        ((0, 1), (0, 2), (1, 2))
    """
    return tuple(combinations(range(frames), size))


def membership(frames: int, size: int, like: Tensor) -> Float[Tensor, "U F"]:
    """Matrix M: 1 if a tuple has that frame at that position, else 0.

    Args:
        frames: Number of frames.
        size: Number of positions of a tuple.
        like: Tensor whose dtype and device the matrix gets.

    Example:
        >>> membership(3, 2, torch.ones(1))[1]  # frame 0 at position 0, frame 2 at position 1
        tensor([1., 0., 0., 0., 0., 1.])
    """
    frame = torch.tensor(ordered_tuples(frames, size), device=like.device)
    position = torch.arange(size, device=like.device)
    cells = torch.arange(frames * size, device=like.device)
    return (cells == (frame * size + position)[..., None]).sum(1).to(like.dtype)


def products(
    query: Float[Tensor, "Q F W"], support: Float[Tensor, "#Q N S W"]
) -> Float[Tensor, "Q N F S"]:
    """Inner products of every query frame with every support frame of every class."""
    if support.shape[0] == 1:
        return torch.einsum("qfw,nsw->qnfs", query, support[0])
    return torch.einsum("qfw,qnsw->qnfs", query, support)


def squared_norms(
    frames: Float[Tensor, "*B F W"], members: Float[Tensor, "U F"]
) -> Float[Tensor, "*B U"]:
    """Squared norm of every tuple."""
    gram = members @ (frames @ frames.transpose(-1, -2))
    return (gram * members).sum(-1).clamp(min=0)  # rounding errors could make it negative


def attended_distances(
    query: Float[Tensor, "Q F W"],
    support: Float[Tensor, "#Q N S W"],
    weights: Float[Tensor, "Q N U S"],
    members: Float[Tensor, "U F"],
) -> Float[Tensor, "Q N U"]:
    """Squared distance of every query tuple to a weighted sum of a class's tuples.

    Args:
        query: Query frames at all positions.
        support: Frames of all shots of a class at all positions.
        weights: Weight of every support frame and position, for each query tuple.
        members: Matrix M.
    """
    query_norm = squared_norms(query, members)[:, None]
    cross = ((members @ products(query, support)) * weights).sum(-1)
    support_norm = ((weights @ (support @ support.transpose(-1, -2))) * weights).sum(-1)
    return query_norm - 2 * cross + support_norm


def framewise(
    pairs: Float[Tensor, "Q N U P U"], frames: int, size: int
) -> Float[Tensor, "Q N P T S"]:
    """Attention between single frames that follows from the attention between tuples.

    Args:
        pairs: Attention of query tuples to support tuples; sums to 1 over the tuples of a class.
        frames: Frames of a video.
        size: Frames of a tuple.

    Returns:
        Attention of query frames to support frames; sums to 1 over the frames of a class.
    """
    members = membership(frames, size, pairs).unflatten(-1, (frames, size))
    attention = torch.einsum("utc,qnupv,vsc->qnpts", members, pairs, members)
    return attention / math.comb(frames - 1, size - 1)


def strongest(
    pairs: Sequence[tuple[int, Float[Tensor, "Q N _ P _"]]], frames: int, most: int = 5
) -> dict[tuple[int, int], list[Link]]:
    """Pairs of tuples with the largest attention, by query and class.

    Args:
        pairs: Tuple sizes and the attention between tuples of that size.
        frames: Frames of a video.
        most: Number of pairs per query and class, over all tuple sizes.
    """
    queries, way = pairs[0][1].shape[:2]
    links = {}
    for cell in itertools.product(range(queries), range(way)):
        largest = [
            _largest(attention[cell], ordered_tuples(frames, size), most)
            for size, attention in pairs
        ]
        links[cell] = sorted(itertools.chain(*largest), key=lambda link: -link.weight)[:most]
    return links


def _largest(
    pairs: Float[Tensor, "U P U"], tuples: Sequence[tuple[int, ...]], most: int
) -> list[Link]:
    top = pairs.flatten().topk(min(most, pairs.numel()))
    shots, count = pairs.shape[1:]
    return [
        Link(tuples[i // (shots * count)], i // count % shots, tuples[i % count], weight)
        for weight, i in zip(top.values.tolist(), top.indices.tolist(), strict=True)
    ]
