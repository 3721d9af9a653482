"""Chamfer and pooled similarities against loops over frames in float64, written from equations."""

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from fsarbench.errors import UserError
from fsarbench.interfaces import Matcher
from fsarbench.matchers.chamfer import Chamfer
from fsarbench.matchers.similarity_pooling import SimilarityPooling

Q, N, P, T, D = 3, 4, 2, 5, 6
WEIGHT = torch.linspace(-0.3, 0.5, T * T, dtype=torch.float64).view(T, T)


def cosine(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum() / ((a * a).sum().sqrt() * (b * b).sum().sqrt())


def largest(values: list[Tensor]) -> Tensor:
    return max(values, key=lambda value: value.item())


def tuples(video: Tensor, size: int) -> list[Tensor]:
    return [
        torch.cat([video[i] for i in place]) for place in itertools.combinations(range(T), size)
    ]


def chamfer(direction: str, joint: bool, size: int) -> Callable[[Tensor, Tensor], Tensor]:
    """Naive score of one query "T D" and the shots "P T D" of one class."""

    def of_sets(one: list[Tensor], other: list[Tensor]) -> Tensor:
        there = sum(largest([cosine(a, b) for b in other]) for a in one) / len(one)
        back = sum(largest([cosine(a, b) for a in one]) for b in other) / len(other)
        return {"query": there, "support": back, "both": (there + back) / 2}[direction]

    def score(query: Tensor, shots: Tensor) -> Tensor:
        mine, theirs = tuples(query, size), [tuples(shot, size) for shot in shots]
        if joint:
            return of_sets(mine, list(itertools.chain(*theirs)))
        return sum(of_sets(mine, each) for each in theirs) / len(theirs)

    return score


def pooled(pooling: str) -> Callable[[Tensor, Tensor], Tensor]:
    def of_shot(query: Tensor, shot: Tensor) -> Tensor:
        pairs = {(t, s): cosine(query[t], shot[s]) for t in range(T) for s in range(T)}
        if pooling == "mean":
            return sum(pairs.values()) / T**2
        if pooling == "max":
            return largest(list(pairs.values()))
        if pooling == "diagonal":
            return sum(pairs[t, t] for t in range(T)) / T
        return sum(WEIGHT[place] * value for place, value in pairs.items())

    return lambda query, shots: sum(of_shot(query, shot) for shot in shots) / len(shots)


def linear() -> SimilarityPooling:
    matcher = SimilarityPooling("linear", frames=T).double()
    with torch.no_grad():
        matcher.weight.copy_(WEIGHT)
    return matcher


CASES: dict[str, tuple[Matcher, Callable[[Tensor, Tensor], Tensor]]] = {
    f"Chamfer {direction} {joint} {size}": (
        Chamfer(direction, joint, size),
        chamfer(direction, joint, size),
    )
    for direction in ("both", "query", "support")
    for joint, size in ((True, 1), (False, 1), (True, 3))
}
CASES |= {p: (SimilarityPooling(p), pooled(p)) for p in ("mean", "max", "diagonal")}  # type: ignore[arg-type]
CASES["linear"] = (linear(), pooled("linear"))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("queries", [1, Q], ids=["shared", "of each query"])
def test_values_and_gradients(case: str, queries: int) -> None:
    matcher, score = CASES[case]
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(Q, T, D, dtype=torch.float64, generator=generator).requires_grad_()
    given = torch.randn(queries, N, P, T, D, dtype=torch.float64, generator=generator)
    given.requires_grad_()
    got = matcher(query, given)
    rows = [score(query[q], given[q % queries, n]) / 0.1 for q in range(Q) for n in range(N)]
    want = torch.stack(rows).view(Q, N)
    torch.testing.assert_close(got, want, rtol=0, atol=1e-11)
    direction = torch.randn(Q, N, dtype=torch.float64, generator=generator)
    ours = torch.autograd.grad((got * direction).sum(), [query, given])
    theirs = torch.autograd.grad((want * direction).sum(), [query, given])
    for mine, naive in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, naive, rtol=0, atol=1e-11)


def test_joint_matching_lets_frames_of_one_query_find_different_shots() -> None:
    frames = torch.eye(4)
    query = frames[None]
    shots = torch.stack([frames[[0, 1, 0, 1]], frames[[2, 3, 2, 3]]])[None, None]
    joint = Chamfer(joint=True, temperature=1.0)
    single = Chamfer(joint=False, temperature=1.0)
    assert joint(query, shots).item() == pytest.approx(1.0)
    assert single(query, shots).item() == pytest.approx(0.75)
    weights = joint.explain(query, shots).weights
    assert weights is not None
    assert weights[0, 0].sum((0, 2)).tolist() == pytest.approx([1.5] * 4)


def test_tuples_tell_the_order_of_frames() -> None:
    frames = torch.eye(4)
    forward, backward = frames, frames.flip(0)
    prototypes = torch.stack([forward, backward])[None, :, None]
    blind, ordered = Chamfer(), Chamfer(tuple_size=2)
    assert blind(forward[None], prototypes).diff().abs().item() < 1e-6
    assert ordered(forward[None], prototypes).argmax().item() == 0
    assert ordered.explain(forward[None], prototypes).links[0, 0][0].weight == pytest.approx(1.0)


@pytest.mark.parametrize("pooling", ["mean", "max", "diagonal"])
def test_the_weights_of_a_picture_give_the_score(pooling: str) -> None:
    matcher = SimilarityPooling(pooling, temperature=1.0)  # type: ignore[arg-type]
    query, prototypes = torch.randn(2, T, D), torch.randn(1, N, 1, T, D)
    picture = matcher.explain(query, prototypes)
    assert picture.weights is not None
    total = (picture.weights * picture.similarity).sum((-2, -1)).mean(-1)
    torch.testing.assert_close(total, matcher(query, prototypes))


@pytest.mark.parametrize(
    "build",
    [
        lambda: Chamfer(tuple_size=0),
        lambda: Chamfer(tuple_size=9, frames=8),
        lambda: Chamfer(temperature=0.0),
        lambda: SimilarityPooling(temperature=-1.0),
        lambda: SimilarityPooling("linear"),
    ],
)
def test_wrong_arguments_are_refused(build: Callable[[], Matcher]) -> None:
    with pytest.raises(UserError, match=r"expected|needs"):
        build()
