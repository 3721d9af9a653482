import torch

from fsarbench.prototypes.hybrid_relation import HybridRelation

N, K, Q, T, D = 3, 2, 4, 5, 16


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    return torch.randn(N, K, T, D, generator=g), torch.randn(Q, T, D, generator=g)


def build() -> HybridRelation:
    torch.manual_seed(0)
    return HybridRelation(D).eval()


def test_prototypes_depend_on_their_query() -> None:
    prototypes, _ = build()(*inputs(), None)
    assert not torch.allclose(prototypes[0], prototypes[1])


def test_prototypes_depend_on_no_other_query() -> None:
    support, query = inputs()
    builder = build()
    together, single = builder(support, query, None), builder(support, query[2:3], None)
    torch.testing.assert_close(single[0][0], together[0][2])
    torch.testing.assert_close(single[1][0], together[1][2])


def test_a_prototype_depends_on_the_other_classes() -> None:
    support, query = inputs()
    other = support.clone()
    other[1] += 1
    builder = build()
    before, after = builder(support, query, None)[0], builder(other, query, None)[0]
    assert not torch.allclose(before[:, 0], after[:, 0])
