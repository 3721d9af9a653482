"""CrossTransformer matches loops over frames, written from the paper's equations in float64."""

import itertools

import pytest
import torch
from torch import Tensor

from fsarbench.matchers.cross_transformer import CrossTransformer, Score
from tests.helpers.naive_cosine import cosine_with_term

Q, N, P, T, D = 2, 3, 2, 4, 6


def draw(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def one_pair(matcher: CrossTransformer, query: Tensor, shots: Tensor) -> Tensor:
    """Logit of one query "T D" and one class "P T D", frame by frame."""
    key, value = matcher.key.weight, matcher.value.weight
    support_frames = [shots[p, t] for p, t in itertools.product(range(P), range(T))]
    total = query.new_zeros(())
    for frame in query:
        scores = torch.stack([(key @ s) @ (key @ frame) for s in support_frames])
        weights = torch.softmax(scores / len(key) ** 0.5, 0)
        prototype = sum(a * (value @ s) for a, s in zip(weights, support_frames, strict=True))
        if matcher.score == "cosine":
            total = total + cosine_with_term(value @ frame, prototype)
        else:
            total = total - ((value @ frame - prototype) ** 2).sum()
    return total / T


@pytest.mark.parametrize("queries", [1, Q])
@pytest.mark.parametrize("score", ["distance", "cosine"])
def test_equals_the_equations_in_value_and_gradient(queries: int, score: Score) -> None:
    torch.manual_seed(0)
    matcher = CrossTransformer(D, key_dim=5, score=score).double()
    query, prototypes = draw(Q, T, D), draw(queries, N, P, T, D, seed=1).requires_grad_()
    spread = prototypes.expand(Q, -1, -1, -1, -1)
    got = matcher(query, prototypes)
    want = torch.stack(
        [
            torch.stack([one_pair(matcher, query[q], spread[q, n]) for n in range(N)])
            for q in range(Q)
        ]
    )
    torch.testing.assert_close(got, want, rtol=1e-11, atol=1e-11)
    inputs = [prototypes, *matcher.parameters()]
    weights = draw(Q, N, seed=2)
    got_gradients = torch.autograd.grad((got * weights).sum(), inputs)
    want_gradients = torch.autograd.grad((want * weights).sum(), inputs)
    for a, b in zip(got_gradients, want_gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
