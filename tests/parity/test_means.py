"""Matchers of time averages match loops in float64, in values and gradients."""

import pytest
import torch
from torch import Tensor

from fsarbench.matchers.mean_cosine import MeanCosine
from fsarbench.matchers.mean_euclidean import MeanEuclidean
from tests.helpers.naive_cosine import cosine_with_term

Q, N, P, T, D = 3, 4, 2, 5, 6


def average(frames: Tensor) -> Tensor:
    total = torch.zeros_like(frames[0])
    for frame in frames:
        total = total + frame
    return total / len(frames)


def cosine(a: Tensor, b: Tensor) -> Tensor:
    return cosine_with_term(a, b) / 0.2


def cosine_of_released_code(a: Tensor, b: Tensor) -> Tensor:
    return cosine_with_term(a, b, 0.01)


def negative_squared_distance(a: Tensor, b: Tensor) -> Tensor:
    return -sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / 0.2


CASES = {
    "MeanCosine": (MeanCosine(0.2), cosine),
    "MeanCosine as released": (MeanCosine(1.0, cosine_eps=0.01), cosine_of_released_code),
    "MeanEuclidean": (MeanEuclidean(0.2), negative_squared_distance),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("queries", [1, Q], ids=["shared", "of each query"])
def test_values_and_gradients(case: tuple, queries: int) -> None:
    matcher, score = case
    torch.manual_seed(0)
    query = torch.randn(Q, T, D, dtype=torch.float64, requires_grad=True)
    prototypes = torch.randn(queries, N, P, T, D, dtype=torch.float64, requires_grad=True)
    rows = []
    for q in range(Q):
        query_prototypes = prototypes[q if queries > 1 else 0]
        for n in range(N):
            scores = [score(average(query[q]), average(query_prototypes[n, p])) for p in range(P)]
            rows.append(torch.stack(scores).sum() / P)
    expected = torch.stack(rows).reshape(Q, N)
    got = matcher(query, prototypes)
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)
    direction = torch.randn_like(got)
    ours = torch.autograd.grad((got * direction).sum(), [query, prototypes])
    theirs = torch.autograd.grad((expected * direction).sum(), [query, prototypes])
    for mine, naive in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, naive, rtol=1e-9, atol=1e-10)
