import torch

from fsarbench.prototypes.each_shot import EachShot


def test_each_shot_is_a_prototype() -> None:
    g = torch.Generator().manual_seed(0)
    support, query = torch.randn(3, 2, 4, 5, generator=g), torch.randn(6, 4, 5, generator=g)
    prototypes, matched = EachShot()(support, query, None)
    assert prototypes.shape == (1, 3, 2, 4, 5)
    assert torch.equal(prototypes[0, 1, 1], support[1, 1])
    assert matched is query
