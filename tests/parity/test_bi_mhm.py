"""Bi-MHM matches loops over frames, written from HyRSM's equation in float64."""

import itertools

import pytest
import torch
from torch import Tensor

from fsarbench.matchers.bi_mhm import BiMHM
from tests.helpers.naive_cosine import cosine_with_term


def nearest(one: Tensor, other: Tensor, eps: float) -> list[Tensor]:
    """Minimum distance of each frame of one video to the frames of the other."""
    return [
        min((1 - cosine_with_term(a, b, eps) for b in other), key=lambda d: d.item()) for a in one
    ]


def draw(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("queries", [1, 3])
@pytest.mark.parametrize("eps", [0.0, 0.01])
def test_equals_loops_in_value_and_gradient(reduction: str, queries: int, eps: float) -> None:
    query = draw(3, 5, 6).requires_grad_()
    prototypes = draw(queries, 4, 2, 5, 6, seed=1)
    logits = BiMHM(reduction, eps)(query, prototypes)  # type: ignore[arg-type]
    spread = prototypes.expand(3, -1, -1, -1, -1)
    rows = []
    for i, n in itertools.product(range(3), range(4)):
        distances = []
        for prototype in spread[i, n]:
            there, back = nearest(query[i], prototype, eps), nearest(prototype, query[i], eps)
            total = sum(there) + sum(back)
            distances.append(total if reduction == "sum" else total / 5)
        rows.append(-sum(distances) / 2)
    want = torch.stack(rows).view(3, 4)
    torch.testing.assert_close(logits, want, rtol=0, atol=1e-12)
    weights = draw(3, 4, seed=2)
    (got_gradient,) = torch.autograd.grad((logits * weights).sum(), query)
    (want_gradient,) = torch.autograd.grad((want * weights).sum(), query)
    torch.testing.assert_close(got_gradient, want_gradient, rtol=0, atol=1e-12)
