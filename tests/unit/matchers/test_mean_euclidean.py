import pytest
import torch

from fsarbench.errors import UserError
from fsarbench.matchers.mean_euclidean import MeanEuclidean
from fsarbench.prototypes.mean import Mean


def test_negative_squared_distance_of_time_averages() -> None:
    g = torch.Generator().manual_seed(0)
    query, support = torch.randn(3, 8, 6, generator=g), torch.randn(5, 2, 8, 6, generator=g)
    prototypes, _ = Mean()(support, query, None)
    want = torch.empty(3, 5)
    for q in range(3):
        for n in range(5):
            centre = support[n].mean((0, 1))
            want[q, n] = -((query[q].mean(0) - centre) ** 2).sum() / 0.5
    torch.testing.assert_close(MeanEuclidean(0.5)(query, prototypes), want)


def test_distances_to_several_prototypes_are_averaged() -> None:
    g = torch.Generator().manual_seed(0)
    query, prototypes = torch.randn(3, 8, 6, generator=g), torch.randn(3, 5, 2, 8, 6, generator=g)
    matcher = MeanEuclidean()
    alone = [matcher(query, prototypes[:, :, p : p + 1]) for p in range(2)]
    torch.testing.assert_close(matcher(query, prototypes), (alone[0] + alone[1]) / 2)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_temperature_must_be_positive(temperature: float) -> None:
    with pytest.raises(UserError, match="temperature"):
        MeanEuclidean(temperature)
