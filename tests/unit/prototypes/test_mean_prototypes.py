import torch

from fsarbench.prototypes.mean import Mean


def test_mean_of_the_shots_at_each_frame() -> None:
    g = torch.Generator().manual_seed(0)
    support, query = torch.randn(3, 2, 4, 5, generator=g), torch.randn(6, 4, 5, generator=g)
    prototypes, matched = Mean()(support, query, None)
    torch.testing.assert_close(prototypes[0, :, 0], (support[:, 0] + support[:, 1]) / 2)
    assert prototypes.shape == (1, 3, 1, 4, 5)
    assert matched is query
