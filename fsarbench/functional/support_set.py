"""Classifiers fitted on the support set of an episode: the data that they are fitted on."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

Pooling = Literal["mean", "flatten"]
Normalise = Literal["l2", "none"]


def vectors(
    videos: Float[Tensor, "*B T D"], pooling: Pooling, normalise: Normalise
) -> Float[Tensor, "*B F"]:
    """One feature vector for each video.

    Args:
        videos: Frame features.
        pooling: `mean` averages over time, `flatten` concatenates the frames.
        normalise: `l2` divides each vector by its norm, `none` leaves it.

    Example:
        >>> vectors(torch.ones(2, 4, 3), "flatten", "none").shape
        torch.Size([2, 12])
    """
    pooled = videos.mean(-2) if pooling == "mean" else videos.flatten(-2)
    return F.normalize(pooled, dim=-1) if normalise == "l2" else pooled


def one_hot(way: int, shot: int, like: Tensor) -> Float[Tensor, "M N"]:
    """One-hot labels of support examples in class-major order.

    Example:
        >>> one_hot(2, 2, torch.ones(1)).tolist()
        [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    """
    eye = torch.eye(way, dtype=like.dtype, device=like.device)
    return eye.repeat_interleave(shot, dim=0)
