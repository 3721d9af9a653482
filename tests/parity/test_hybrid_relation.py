"""HyRSM's hybrid relation matches its equations, query by query in float64."""

import torch
from torch import Tensor

from fsarbench.prototypes.hybrid_relation import HybridRelation
from tests.helpers.naive_attention import head_by_head
from tests.helpers.naive_trx import positions

N, K, Q, T, D = 3, 2, 3, 4, 8


def draw(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def build() -> HybridRelation:
    torch.manual_seed(0)
    builder = HybridRelation(D, heads=2).double().eval()
    with torch.no_grad():  # away from zero biases and norms of 1, which would hide a wrong wire
        for parameter in builder.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return builder


def inside(builder: HybridRelation, video: Tensor) -> Tensor:
    """Frames of one video "T D" after attention to each other."""
    video = video * (D / 10) ** 0.5 + 10 * positions(T, D, video)
    return torch.relu(video + head_by_head(builder.within, builder.norm_within(video)))


def for_one_query(builder: HybridRelation, classes: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
    """Prototypes "N S F" and query "T D" from concatenated frame and context."""
    whole = torch.cat([builder.frame.weight, builder.context.weight], dim=1)
    tokens = torch.stack([*(c.mean(0) for c in classes), query.mean(0)])
    mixed = builder.norm_between(tokens + head_by_head(builder.between, tokens))
    contexts = torch.relu(mixed)
    fused = [
        torch.stack([whole @ torch.cat([frame, context]) + builder.frame.bias for frame in video])
        for video, context in zip([*classes, query], contexts, strict=True)
    ]
    return torch.stack(fused[:-1]), fused[-1]


def test_equals_the_equations_in_value_and_gradient() -> None:
    builder = build()
    support, query = draw(N, K, T, D).requires_grad_(), draw(Q, T, D, seed=1)
    prototypes, matched = builder(support, query, None)
    assert prototypes.shape == (Q, N, 1, T, D)
    classes = torch.stack([sum(inside(builder, shot) for shot in shots) / K for shots in support])
    per_query = [for_one_query(builder, classes, inside(builder, one)) for one in query]
    want = torch.stack([prototypes for prototypes, _ in per_query])
    torch.testing.assert_close(prototypes[:, :, 0], want, rtol=1e-11, atol=1e-11)
    wanted = torch.stack([one for _, one in per_query])
    torch.testing.assert_close(matched, wanted, rtol=1e-11, atol=1e-11)
    weights, inputs = draw(Q, N, T, D, seed=2), [support, *builder.parameters()]
    ours = torch.autograd.grad((prototypes[:, :, 0] * weights + matched[:, None]).sum(), inputs)
    theirs = torch.autograd.grad((want * weights + wanted[:, None]).sum(), inputs)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10)
