"""Attention between tuples of frames, brought down to what a person can look at."""

import itertools
import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.explanation import Link
from fsarbench.functional.tuples import membership, ordered_tuples


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
