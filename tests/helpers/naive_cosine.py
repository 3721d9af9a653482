"""Reference implementation of the cosine, with the term that some released code adds."""

import torch
from torch import Tensor


def cosine_with_term(one: Tensor, other: Tensor, eps: float = 0.0) -> Tensor:
    """Dot product of two vectors over the product of their norms plus a term."""
    return (one * other).sum() / ((one * one).sum().sqrt() * (other * other).sum().sqrt() + eps)


def cosines_with_term(one: Tensor, other: Tensor, eps: float = 0.0) -> Tensor:
    """Cosines of the rows "T D" of one matrix with the rows "S D" of another, pair by pair."""
    return torch.stack([torch.stack([cosine_with_term(a, b, eps) for b in other]) for a in one])
