import itertools

import pytest
import torch

from fsarbench.functional.pairwise import frame_cosines, mean_cosines

Q, N, P, T, S, D = 2, 3, 2, 4, 5, 7


def features(queries: int) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    return torch.randn(Q, T, D, generator=g), torch.randn(queries, N, P, S, D, generator=g)


@pytest.mark.parametrize("queries", [1, Q])
def test_every_frame_against_every_frame(queries: int) -> None:
    query, prototypes = features(queries)
    got = frame_cosines(query, prototypes)
    prototypes = prototypes.expand(Q, N, P, S, D)
    for q, n, p, t, s in itertools.product(*map(range, (Q, N, P, T, S))):
        want = torch.cosine_similarity(query[q, t], prototypes[q, n, p, s], dim=0)
        assert got[q, n, p, t, s].item() == pytest.approx(want.item(), abs=1e-6)


@pytest.mark.parametrize("queries", [1, Q])
def test_means_over_time_come_before_the_cosine(queries: int) -> None:
    query, prototypes = features(queries)
    got = mean_cosines(query, prototypes)
    pooled = prototypes.expand(Q, N, P, S, D).mean(3)
    want = torch.cosine_similarity(query.mean(1)[:, None, None], pooled, dim=-1)
    torch.testing.assert_close(got, want)


def test_a_zero_feature_gives_finite_cosines() -> None:
    query, prototypes = features(1)
    zeros = torch.zeros_like(query).requires_grad_()
    for eps in (0.0, 0.01):
        cosines = frame_cosines(zeros, prototypes, eps)
        assert (cosines == 0).all()
        (gradient,) = torch.autograd.grad(cosines.sum(), zeros)
        assert gradient.isfinite().all()
