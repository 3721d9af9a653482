"""Cosine similarities and distances between every query and every prototype."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def frame_cosines(
    query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P S D"], eps: float = 0.0
) -> Float[Tensor, "Q N P T S"]:
    """Cosine similarity of every query frame with every prototype frame.

    Args:
        query: Frame features of the queries.
        prototypes: Frame features of the prototypes.
        eps: Term added to the product of the two norms; the code of CLIP-FSAR and related methods
            adds 0.01, which shrinks the similarities of short features.

    Example:
        >>> frame_cosines(torch.ones(2, 3, 4), torch.ones(1, 5, 1, 6, 4)).shape
        torch.Size([2, 5, 1, 3, 6])
        >>> frame_cosines(torch.ones(1, 1, 4), torch.ones(1, 1, 1, 1, 4), eps=1.0)  # 4 / (4 + 1)
        tensor([[[[[0.8000]]]]])
    """
    if eps:
        lengths = query.norm(dim=-1)[:, None, None, :, None] * prototypes.norm(dim=-1).unsqueeze(-2)
        return _products(query, prototypes) / (lengths + eps)
    return _products(F.normalize(query, dim=-1), F.normalize(prototypes, dim=-1))


def _products(
    query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P S D"]
) -> Float[Tensor, "Q N P T S"]:
    if prototypes.shape[0] == 1:
        # One product for all queries; expanding over Q would copy the prototypes for each query.
        return torch.einsum("qtd,npsd->qnpts", query, prototypes[0])
    return torch.einsum("qtd,qnpsd->qnpts", query, prototypes)


def mean_cosines(
    query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P S D"], eps: float = 0.0
) -> Float[Tensor, "Q N P"]:
    """Cosine similarity of the time-averaged features; `eps` as in `frame_cosines`."""
    means = query.mean(1, keepdim=True), prototypes.mean(3, keepdim=True)
    return frame_cosines(*means, eps)[..., 0, 0]


def mean_distances(
    query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P S D"]
) -> Float[Tensor, "Q N P"]:
    """Squared Euclidean distance of the time-averaged features of queries and prototypes."""
    gap = query.mean(1)[:, None, None] - prototypes.mean(3)
    return gap.square().sum(-1)
