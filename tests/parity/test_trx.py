"""TRX matches loops over tuples, and the form that concatenates frames, in float64."""

import itertools

import pytest
import torch
from torch import Tensor

from fsarbench.matchers.trx import TRX, TupleAttention
from tests.helpers.naive_trx import naive_trx, positions, whole_map

Q, N, P, T, D, WIDTH = 2, 3, 2, 5, 6, 7


def draw(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def build(*cardinalities: int) -> TRX:
    torch.manual_seed(0)
    matcher = TRX(D, cardinalities, WIDTH).double().eval()
    with torch.no_grad():  # away from a norm of gain 1 and shift 0, which would hide a wrong wire
        for parameter in matcher.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return matcher


def tuple_by_tuple(part: TupleAttention, query: Tensor, shots: Tensor) -> Tensor:
    """Distance of one query "T D" to one class "P T D", as in the paper."""
    key, value = (whole_map(m.weight, part.size) for m in (part.key, part.value))
    chosen = list(itertools.combinations(range(T), part.size))
    position = positions(T, D, query)

    def joined(video: Tensor, frames: tuple[int, ...]) -> Tensor:
        return torch.cat([video[t] + position[t] for t in frames])

    support_tuples = [joined(shot, frames) for shot in shots for frames in chosen]
    keys = [part.norm(key @ x + part.key_bias) for x in support_tuples]
    total = query.new_zeros(())
    for frames in chosen:
        query_tuple = joined(query, frames)
        query_key = part.norm(key @ query_tuple + part.key_bias)
        weights = torch.softmax(torch.stack([k @ query_key for k in keys]) / WIDTH**0.5, 0)
        prototype = sum(a * (value @ x) for a, x in zip(weights, support_tuples, strict=True))
        total = total + ((value @ query_tuple - prototype) ** 2).sum()
    return total / len(chosen)


def assert_same_gradients(matcher: TRX, inputs: list[Tensor], got: Tensor, want: Tensor) -> None:
    weights = draw(Q, N, seed=2)
    wanted = [*inputs, *matcher.parameters()]
    ours = torch.autograd.grad((got * weights).sum(), wanted)
    theirs = torch.autograd.grad((want * weights).sum(), wanted)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("cardinalities", [(1,), (2,), (2, 3), (5,)])
def test_equals_the_loop_in_value_and_gradient(cardinalities: tuple[int, ...]) -> None:
    matcher = build(*cardinalities)
    query, shots = draw(Q, T, D).requires_grad_(), draw(N, P, T, D, seed=1).requires_grad_()
    got = matcher(query, shots[None])
    rows = []
    for q, n in itertools.product(range(Q), range(N)):
        sizes = [tuple_by_tuple(part, query[q], shots[n]) for part in matcher.attentions]
        rows.append(-sum(sizes) / len(sizes))
    want = torch.stack(rows).view(Q, N)
    torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-10)
    assert_same_gradients(matcher, [query, shots], got, want)


@pytest.mark.parametrize("cardinalities", [(2, 3), (1, 2, 4)])
def test_equals_the_unfactorised_form(cardinalities: tuple[int, ...]) -> None:
    matcher = build(*cardinalities)
    query, shots = draw(Q, T, D).requires_grad_(), draw(N, P, T, D, seed=1).requires_grad_()
    got, want = matcher(query, shots[None]), naive_trx(matcher, query, shots)
    torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-10)
    assert_same_gradients(matcher, [query, shots], got, want)


def test_prototypes_of_each_query() -> None:
    matcher, query, shots = build(2, 3), draw(Q, T, D), draw(Q, N, P, T, D, seed=1)
    want = torch.cat([naive_trx(matcher, query[q : q + 1], shots[q]) for q in range(Q)])
    torch.testing.assert_close(matcher(query, shots), want, rtol=1e-10, atol=1e-10)


def test_float32_is_as_precise_as_the_unfactorised_form() -> None:
    """Features far from the origin, where squares of differences could cancel."""
    matcher = build(2, 3)
    query, shots = draw(Q, T, D) + 10, draw(N, P, T, D, seed=1) + 10
    want = matcher(query, shots[None])
    matcher.float()
    ours = (matcher(query.float(), shots[None].float()) - want).abs().max()
    theirs = (naive_trx(matcher, query.float(), shots.float()) - want).abs().max()
    assert ours <= 4 * theirs
