"""Cosine similarities and distances between every query and every prototype."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def frame_cosines(
    query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P S D"]
) -> Float[Tensor, "Q N P T S"]:
    """Cosine similarity of every query frame with every prototype frame.

    Example:
        >>> frame_cosines(torch.ones(2, 3, 4), torch.ones(1, 5, 1, 6, 4)).shape
        torch.Size([2, 5, 1, 3, 6])
    """
    query, prototypes = F.normalize(query, dim=-1), F.normalize(prototypes, dim=-1)
    if prototypes.shape[0] == 1:
        # One product for all queries; expanding over Q would copy the prototypes for each query.
        return torch.einsum("qtd,npsd->qnpts", query, prototypes[0])
    return torch.einsum("qtd,qnpsd->qnpts", query, prototypes)


def mean_cosines(
    query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P S D"]
) -> Float[Tensor, "Q N P"]:
    """Cosine similarity of the time-averaged features of queries and prototypes."""
    return frame_cosines(query.mean(1, keepdim=True), prototypes.mean(3, keepdim=True))[..., 0, 0]


def mean_distances(
    query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P S D"]
) -> Float[Tensor, "Q N P"]:
    """Squared Euclidean distance of the time-averaged features of queries and prototypes."""
    gap = query.mean(1)[:, None, None] - prototypes.mean(3)
    return gap.square().sum(-1)
